import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";
import { chooseTheme, rememberedTheme, type Theme } from "./theme-choice";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICONS: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

/** Goes round the themes: the system's, light, dark. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(rememberedTheme);
  const press = (): void => {
    const next = NEXT[theme];
    chooseTheme(next);
    setTheme(next);
  };
  const label = `Theme: ${theme}. Change to ${NEXT[theme]}.`;
  return (
    <button type="button" class="icon-button" onClick={press} title={label} aria-label={label}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}
