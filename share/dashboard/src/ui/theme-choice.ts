// The theme somebody chose: kept in the browser, applied as an attribute of the root element.

export type Theme = "system" | "light" | "dark";

const KEY = "hekad-theme";

export function rememberedTheme(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : "system";
  } catch {
    return "system"; // storage is refused, for example inside a sandboxed frame
  }
}

export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // The choice then lasts until the page is closed.
  }
  document.dispatchEvent(new Event("themechange"));
}

/** Calls `act` whenever the colours change, by choice or by the system. Returns how to stop. */
export function onThemeChange(act: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  document.addEventListener("themechange", act);
  system.addEventListener("change", act);
  return () => {
    document.removeEventListener("themechange", act);
    system.removeEventListener("change", act);
  };
}
