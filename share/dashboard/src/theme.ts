// Applies the remembered theme before anything is drawn, so that the page does not flash.
import { applyTheme, rememberedTheme } from "./ui/theme-choice";

applyTheme(rememberedTheme());
