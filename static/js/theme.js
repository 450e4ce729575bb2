// Runs before the first paint: the chosen appearance, and a mark that scripts work.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("muster-theme");
    if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
  } catch { /* storage may be forbidden: then the system decides */ }
})();
