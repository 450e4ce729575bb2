// Registration pages: the offer to be reminded by this browser. Without it the offer stays hidden.
(function () {
  var box = document.querySelector("[data-push]");
  // An iPad calls itself a Mac; its touch screen gives it away.
  var isTablet = /Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1;
  if (!box || isTablet || !window.isSecureContext || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  if (Notification.permission === "denied") return;
  var button = box.querySelector("button"), said = box.querySelector("[data-push-said]");
  box.hidden = false;
  navigator.serviceWorker.getRegistration("/go").then(function (registration) {
    return registration ? registration.pushManager.getSubscription() : null;
  }).then(function (subscription) { if (subscription && box.dataset.noted) done(box.dataset.noted); }).catch(function () {});

  button.addEventListener("click", function () {
    button.disabled = true;
    said.textContent = "";
    // Asked for in the tap itself: browsers refuse it any later.
    Notification.requestPermission().then(function (permission) {
      if (permission !== "granted") throw new Error(box.dataset.denied);
      return navigator.serviceWorker.register("/go/push-worker.js", { scope: "/go" });
    }).then(function (registration) { return ready(registration).then(subscribe); })
      .then(keep).then(done)
      .catch(function (error) { button.disabled = false; said.textContent = error.isOurs ? error.message : (error.message === box.dataset.denied ? error.message : box.dataset.failed); });
  });

  function ready(registration) {
    return new Promise(function (resolve) {
      var worker = registration.active || registration.waiting || registration.installing;
      if (registration.active) return resolve(registration);
      worker.addEventListener("statechange", function () { if (worker.state === "activated") resolve(registration); });
    });
  }
  function subscribe(registration) {
    return registration.pushManager.getSubscription().then(function (old) { return old && old.unsubscribe(); }).then(function () {
      return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.push) });
    });
  }
  function keep(subscription) {
    return fetch(box.dataset.pushUrl, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(subscription),
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    }).then(function (response) {
      return response.json().then(function (told) {
        if (response.ok) return told.message;
        var error = new Error(told.message);
        error.isOurs = true;
        throw error;
      });
    });
  }
  function done(message) { button.hidden = true; said.textContent = message; }
  function bytes(text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/") + "===".slice((text.length + 3) % 4));
    return Uint8Array.from(raw, function (character) { return character.charCodeAt(0); });
  }
})();
