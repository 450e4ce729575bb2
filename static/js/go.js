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
  // Pages of one group differ in words only; the server knows the words and steps of another.
  var GROUP = { waiting: "download", downloaded: "download", identity_issued: "device", checked_in: "device", refused: "again", expired: "again" };
  function group(state) { return GROUP[state] || state; }
  function watch(box) {
    var state = box.dataset.state || "", text = box.querySelector("[data-status-text]") || box;
    var failures = 0, timer;
    function ask() {
      if (document.hidden) return;
      fetch(box.dataset.statusUrl, { credentials: "same-origin", headers: { Accept: "application/json" }, cache: "no-store" })
        .then(function (response) { if (!response.ok) throw new Error(String(response.status)); return response.json(); })
        .then(function (status) {
          failures = 0;
          if (state && group(status.state) !== group(state)) return location.reload();
          if (status.state !== state) show(status);
          state = status.state;
          return later(3000);
        })
        .catch(function () { failures += 1; later(Math.min(30000, 3000 * Math.pow(2, failures))); });
    }
    function show(status) {
      if (status.message && text.textContent !== status.message) text.textContent = status.message;
      var ring = box.querySelector("[data-countdown]");
      if (!ring || !status.until) return;
      ring.dataset.countdown = status.until;
      ring.dataset.total = String(status.seconds);
      tick();
    }
    function later(milliseconds) { clearTimeout(timer); if (state !== "active") timer = setTimeout(ask, milliseconds); }
    document.addEventListener("visibilitychange", function () { if (!document.hidden && state !== "active") later(0); });
    later(state ? 3000 : 0);
  }

  // The page that shows a code: what became of it is told by another page, which is opened then.
  function followCode(box) {
    var text = box.querySelector("[data-status-text]"), failures = 0;
    function ask() {
      if (document.hidden) return setTimeout(ask, 3000);
      fetch(box.dataset.statusUrl, { credentials: "same-origin", headers: { Accept: "application/json" }, cache: "no-store" })
        .then(function (response) { if (!response.ok) throw new Error(String(response.status)); return response.json(); })
        .then(function (status) {
          failures = 0;
          if (status.state !== "live") return location.assign(box.dataset.nextUrl);
          text.textContent = status.message;
          return setTimeout(ask, 3000);
        })
        .catch(function () { failures += 1; setTimeout(ask, Math.min(30000, 3000 * Math.pow(2, failures))); });
    }
    setTimeout(ask, 3000);
  }

  // A profile that was asked for again begins to download without another tap, once.
  function startDownload(link) {
    if (!history.replaceState || location.search.indexOf("fresh") < 0) return;
    history.replaceState(null, "", location.pathname);
    location.assign(link.href);
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
    // iPads call themselves Macs; a touch screen gives them away.
    all("[data-touch]").forEach(function (field) { field.value = String(navigator.maxTouchPoints || 0); });
    all("[data-enrollment-status]").forEach(watch);
    all("[data-code-status]").forEach(followCode);
    all("[data-profile-download][data-start]").forEach(startDownload);
    var summary = document.querySelector("[data-error-summary]");
    if (summary) summary.focus();
    tick();
    setInterval(tick, 1000);
  });
})();
