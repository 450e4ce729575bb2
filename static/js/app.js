// Behaviour of the portal. Every page works without this file; nothing here decides anything.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const announce = (text) => { const line = $("#announcer"); if (line) line.textContent = text; };

  // --- menus: <details>; one open at a time, Escape and a click elsewhere close it
  const closeMenus = (except) => $$("details[data-menu][open]").forEach((menu) => {
    if (menu !== except && !menu.contains(except)) menu.open = false;
  });
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details[data-menu][open]");
    if (menu) { menu.open = false; $("summary", menu).focus(); } else setDrawer(false);
  });

  // --- drawer: the rail on narrow screens
  const setDrawer = (open) => {
    const side = $("#side"), button = $("[data-drawer]");
    if (!side || side.classList.contains("m-drawer-open") === open) return;
    side.classList.toggle("m-drawer-open", open);
    button.setAttribute("aria-expanded", String(open));
    $("#main").inert = open;
    (open ? $("#rail a") : button).focus();
  };

  // --- appearance
  const setTheme = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.bsTheme;
    else document.documentElement.dataset.bsTheme = theme;
    $$("[data-appearance]").forEach((item) => item.setAttribute("aria-pressed", String(item.dataset.appearance === theme)));
  };
  const storedTheme = () => { try { return localStorage.getItem("muster-theme") || "auto"; } catch { return "auto"; } };

  // --- secrets hide themselves again
  const hideLater = (box) => setTimeout(() => {
    $$("[data-secret]", box).forEach((secret) => { secret.textContent = "••••••••"; });
    $$("[data-copy]", box).forEach((button) => button.remove());
    announce(box.dataset.hiddenText);
  }, Number(box.dataset.seconds) * 1000);

  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = $("span", button), before = label.textContent;
    label.textContent = button.dataset.done;
    announce(button.dataset.done);
    setTimeout(() => { label.textContent = before; }, 2000);
  };

  // --- rows: the header box selects the page, the bar says how many
  const countRows = (form) => {
    const boxes = $$("[data-row]", form), chosen = boxes.filter((box) => box.checked).length;
    boxes.forEach((box) => box.closest("tr").setAttribute("aria-selected", String(box.checked)));
    const all = $("[data-all-rows]", form), bar = $("[data-bulk-bar]", form);
    if (all) { all.checked = chosen > 0 && chosen === boxes.length; all.indeterminate = chosen > 0 && chosen < boxes.length; }
    if (!bar) return;
    // "All that match" counts rows of other pages too; the ticked ones do not matter then.
    const every = $("[data-all-matching]", bar);
    if (every && chosen === 0) every.checked = false;
    bar.hidden = chosen === 0;
    $("[data-count]", bar).textContent = every?.checked ? every.dataset.allMatching : String(chosen);
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form");
    if (event.target.matches("[data-all-rows]")) $$("[data-row]", form).forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches("[data-row], [data-all-rows], [data-all-matching]")) countRows(form);
  });

  // --- live parts: polled by htmx; paused by the person, or while nobody looks
  const setPaused = (button, paused) => {
    document.body.toggleAttribute("data-live-paused", paused);
    button.setAttribute("aria-pressed", String(paused));
    $("span", button).textContent = paused ? button.dataset.resume : button.dataset.pause;
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (!element.matches("[data-live]")) return;
    const inUse = element.contains(document.activeElement) && document.activeElement !== element;
    if (document.hidden || inUse || document.body.hasAttribute("data-live-paused")) event.preventDefault();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "dialog-content") openDialog();
    prepare(event.detail.target.parentElement || document);
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => prepare(event.detail.target.parentElement || document));
  // A dialog that cannot be fetched (signed out, no permission) becomes the page itself.
  document.addEventListener("htmx:responseError", (event) => {
    const link = event.detail.elt.closest("a[href]");
    if (link) location.assign(link.href);
  });

  // --- dialog: a confirmation page shown over the page that asked for it
  const openDialog = () => {
    const dialog = $("#dialog");
    if (!$("[data-confirm], [data-palette-content]", dialog)) return;
    if (!dialog.open) dialog.showModal();
    ($("[data-first]", dialog) || $("a, button, input", dialog))?.focus();
  };

  // --- palette: the search page in a dialog; Ctrl or Cmd with K opens it, arrows walk the hits
  const openPalette = () => {
    const link = $("[data-palette]");
    if (!link || $("#palette")) return;
    htmx.ajax("GET", link.href, { target: "#dialog-content", select: "#palette" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      openPalette();
      return;
    }
    const palette = event.target.closest?.("#palette");
    if (!palette || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    const stops = [$("[data-palette-input]", palette), ...$$("[data-hit]", palette)];
    const at = stops.indexOf(event.target);
    if (event.key === "Enter") {
      if (at === 0 && stops.length > 1) { event.preventDefault(); stops[1].click(); }
      return;
    }
    event.preventDefault();
    stops[(at + (event.key === "ArrowDown" ? 1 : -1) + stops.length) % stops.length].focus();
  });

  const prepare = (root) => {
    $$("[data-shortcut]", root).forEach((key) => { key.textContent = /Mac|iP/.test(navigator.platform) ? "⌘K" : "Ctrl K"; key.hidden = false; });
    $$("[data-copy]", root).forEach((button) => { button.hidden = !navigator.clipboard; });
    $$("[data-appearance-switch]", root).forEach((box) => { box.hidden = false; });
    $$("[data-pause]", root).forEach((button) => { button.hidden = false; });
    $$("[data-reveal][data-hide]", root).forEach((box) => { delete box.dataset.hide; hideLater(box); });
    $$(".m-tabs [aria-current]", root).forEach((tab) => {
      const tabs = tab.closest(".m-tabs");
      tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
    });
    $$("[data-all-rows]", root).forEach((box) => { box.hidden = false; countRows(box.form); });
    $$("[data-error-summary]", root).forEach((box) => box.focus());
  };

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    let item;
    if (on("[data-drawer]")) setDrawer(!$("#side").classList.contains("m-drawer-open"));
    else if ((item = on("[data-appearance]"))) {
      setTheme(item.dataset.appearance);
      try { localStorage.setItem("muster-theme", item.dataset.appearance); } catch { /* not kept then */ }
    } else if ((item = on("[data-copy]"))) copy(item);
    else if (on("[data-palette]") && window.htmx) { event.preventDefault(); setDrawer(false); openPalette(); }
    else if ((item = on("[data-dismiss]"))) item.closest("[data-toast]").remove();
    else if ((item = on("[data-close]")) && $("#dialog")?.open) { event.preventDefault(); $("#dialog").close(); }
    else if ((item = on("button[data-pause]"))) setPaused(item, !document.body.hasAttribute("data-live-paused"));
    else if (event.target.matches?.("#side.m-drawer-open")) setDrawer(false);
    else if (event.target.id === "dialog") event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches?.("a.m-sort")) { event.preventDefault(); event.target.click(); }
  });

  // --- errors disappear while they are being mended; unsaved changes warn once
  let isUnsaved = false;
  document.addEventListener("input", (event) => {
    const field = event.target.closest(".m-field-bad");
    if (field) {
      field.classList.remove("m-field-bad");
      $$("[data-error]", field).forEach((error) => error.remove());
      event.target.removeAttribute("aria-invalid");
    }
    if (event.target.closest("form[data-unsaved]")) isUnsaved = true;
  });
  document.addEventListener("submit", () => { isUnsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });

  document.addEventListener("DOMContentLoaded", () => {
    setTheme(storedTheme());
    prepare(document);
  });
})();
