// Self-service: the page of a device follows what happens to it. Plain ES2017.
(function () {
  function all(root, selector) { return Array.prototype.slice.call(root.querySelectorAll(selector)); }
  function watch(box) {
    var failures = 0;
    function later() { setTimeout(ask, Math.min(60000, 5000 * Math.pow(2, failures))); }
    function ask() {
      if (document.hidden) return later();
      fetch(location.pathname + "?seen=" + box.dataset.live, { credentials: "same-origin", cache: "no-store", redirect: "error" })
        .then(function (response) {
          if (!response.ok) throw new Error(String(response.status));
          failures = 0;
          return response.status === 204 ? "" : response.text();
        })
        .then(function (html) { if (html) take(new DOMParser().parseFromString(html, "text/html")); later(); })
        .catch(function () { failures += 1; later(); });
    }
    // What somebody is using stays as it is until the next round.
    function take(page) {
      if (box.contains(document.activeElement)) return;
      all(page, "[data-part]").forEach(function (fresh) {
        var old = document.querySelector("[data-part='" + fresh.dataset.part + "']");
        if (old && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
      });
      box.dataset.live = page.querySelector("[data-live]").dataset.live;
    }
    later();
  }
  document.addEventListener("DOMContentLoaded", function () { all(document, "[data-live]").forEach(watch); });
})();
