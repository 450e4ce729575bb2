// Long selects become searchable comboboxes (ARIA pattern "combobox with list autocomplete").
// The select stays, hidden, and is what the form sends: without this file it is used as it is.
(() => {
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  let number = 0;

  const build = (select) => {
    if (select.dataset.comboboxReady !== undefined || select.multiple) return;
    select.dataset.comboboxReady = "";
    const id = `combobox-${++number}`, box = document.createElement("div");
    const input = document.createElement("input"), list = document.createElement("ul");
    box.className = "m-combobox";
    const label = select.getAttribute("aria-label") || document.querySelector(`label[for="${select.id}"]`)?.textContent.trim() || "";
    Object.entries({
      type: "text", role: "combobox", id: `${id}-input`, autocomplete: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-label": label,
    }).forEach(([name, value]) => input.setAttribute(name, value));
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    }
    list.id = `${id}-list`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", label);
    list.hidden = true;
    select.hidden = true;
    select.after(box);
    box.append(input, list);
    document.querySelector(`label[for="${select.id}"]`)?.setAttribute("for", input.id);

    let shown = [], active = -1;
    const chosen = () => select.selectedOptions[0]?.textContent.trim() || "";
    const isOpen = () => !list.hidden;
    const mark = (place) => {
      active = place;
      shown.forEach((item, one) => item.element.classList.toggle("m-combobox-active", one === place));
      const element = shown[place]?.element;
      if (element) { input.setAttribute("aria-activedescendant", element.id); element.scrollIntoView({ block: "nearest" }); }
      else input.removeAttribute("aria-activedescendant");
    };
    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      input.value = chosen();
    };
    const open = (text) => {
      list.replaceChildren();
      shown = [];
      const wanted = fold(text);
      let section = null;
      [...select.options].forEach((option, place) => {
        const name = option.textContent.trim(), group = option.closest("optgroup");
        if (wanted && !fold(name).includes(wanted) && !fold(group?.label || "").includes(wanted)) return;
        if (group && group !== section) {
          section = group;
          const heading = document.createElement("li");
          heading.className = "m-combobox-section";
          heading.setAttribute("role", "presentation");
          heading.textContent = group.label;
          list.append(heading);
        }
        const element = document.createElement("li");
        element.id = `${id}-option-${place}`;
        element.setAttribute("role", "option");
        element.setAttribute("aria-selected", String(option.selected));
        element.textContent = name;
        list.append(element);
        shown.push({ element, option });
      });
      list.hidden = shown.length === 0;
      input.setAttribute("aria-expanded", String(shown.length > 0));
      mark(wanted ? 0 : shown.findIndex((item) => item.option.selected));
    };
    const choose = (place) => {
      const item = shown[place];
      if (!item) return close();
      const isNew = select.value !== item.option.value;
      select.value = item.option.value;
      close();
      if (isNew) select.dispatchEvent(new Event("change", { bubbles: true }));
    };

    input.value = chosen();
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => { if (!isOpen()) open(""); });
    // What is typed here only searches: the rest of the page hears of a choice, not of letters.
    input.addEventListener("input", (event) => { event.stopPropagation(); open(input.value); });
    input.addEventListener("change", (event) => event.stopPropagation());
    input.addEventListener("blur", () => { if (isOpen()) close(); else input.value = chosen(); });
    input.addEventListener("keydown", (event) => {
      const last = shown.length - 1;
      if (event.key === "ArrowDown") { if (!isOpen()) open(""); else mark(active < last ? active + 1 : 0); }
      else if (event.key === "ArrowUp") { if (!isOpen()) open(""); else mark(active > 0 ? active - 1 : last); }
      else if (event.key === "Home" && isOpen()) mark(0);
      else if (event.key === "End" && isOpen()) mark(last);
      else if (event.key === "Enter" && isOpen()) choose(active);
      else if (event.key === "Escape" && isOpen()) close();
      else if (event.key === "Tab" && isOpen() && active >= 0 && input.value !== chosen()) { choose(active); return; }
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const place = shown.findIndex((item) => item.element === event.target.closest("[role=option]"));
      if (place >= 0) choose(place);
    });
  };

  const prepare = (root) => root.querySelectorAll("select[data-combobox]").forEach(build);
  document.addEventListener("DOMContentLoaded", () => prepare(document));
  document.addEventListener("htmx:afterSwap", () => prepare(document));
})();
