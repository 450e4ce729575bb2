// Registration pages: countdown, status by itself, copy. Plain ES2017: old phones run it too.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  function all(selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); }

  function tick() {
    all("[data-countdown]").forEach(function (box) {
      var left = Math.max(0, Math.round((Date.parse(box.dataset.countdown) - Date.now()) / 1000));
      var text = box.querySelector("[data-left]"), ring = box.querySelector("[data-ring]");
      var minutes = Math.floor(left / 60), seconds = String(left % 60);
      text.textContent = left ? minutes + ":" + (seconds.length < 2 ? "0" + seconds : seconds) : box.dataset.over;
      if (ring) ring.setAttribute("stroke-dashoffset", String(100 - Math.min(100, (100 * left) / Number(box.dataset.total))));
      if (left) box.dataset.running = "1";
      // The words around an expired countdown come from the server, like all words. Only a ring
      // that was seen running reloads, so that a wrong clock cannot make a page reload for ever.
      else if (box.dataset.running && box.hasAttribute("data-reload")) { delete box.dataset.running; location.reload(); }
    });
  }

  // --- the page notices by itself how far the device has come
  var END = ["active", "refused", "expired"];
  function watch(box) {
    var state = box.dataset.state || "", text = box.querySelector("[data-status-text]") || box;
    var failures = 0;
    if (END.indexOf(state) >= 0) return;
    function ask() {
      if (document.hidden) return later(3000);
      fetch(box.dataset.statusUrl, { credentials: "same-origin", headers: { Accept: "application/json" }, cache: "no-store" })
        .then(function (response) { if (!response.ok) throw new Error(String(response.status)); return response.json(); })
        .then(function (status) {
          failures = 0;
          if (status.state === state) return later(3000);
          var first = state === "";
          state = status.state;
          if (status.message && text.textContent !== status.message) text.textContent = status.message;
          // Only the server knows the words and steps of an end: show its page.
          if (END.indexOf(state) >= 0 && !first) return location.reload();
          if (END.indexOf(state) >= 0) return undefined;
          return later(3000);
        })
        .catch(function () { failures += 1; later(Math.min(30000, 3000 * Math.pow(2, failures))); });
    }
    function later(milliseconds) { setTimeout(ask, milliseconds); }
    document.addEventListener("visibilitychange", function () { if (!document.hidden && END.indexOf(state) < 0) ask(); });
    ask();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      var before = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(function () { button.textContent = before; }, 2000);
    });
  });

  // A person corrects a field: its error goes, the typed text stays.
  document.addEventListener("input", function (event) {
    var field = event.target.closest && event.target.closest(".g-field");
    var error = field && field.querySelector("[data-error]");
    if (error) { error.remove(); event.target.removeAttribute("aria-invalid"); }
  });

  document.addEventListener("DOMContentLoaded", function () {
    all("[data-copy]").forEach(function (button) { button.hidden = !navigator.clipboard; });
    all("[data-share]").forEach(function (button) {
      button.hidden = !navigator.share;
      button.addEventListener("click", function () { navigator.share({ url: button.dataset.share }).catch(function () {}); });
    });
    all("[data-enrollment-status]").forEach(watch);
    var summary = document.querySelector("[data-error-summary]");
    if (summary) summary.focus();
    tick();
    setInterval(tick, 1000);
  });
})();
