// Registration pages: the offer to be reminded by this browser. Without it the offer stays hidden.
(function () {
  var box = document.querySelector("[data-push]");
  // An iPad calls itself a Mac; its touch screen gives it away.
  var isTablet = /Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1;
  if (!box || isTablet || !window.isSecureContext || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  if (Notification.permission === "denied") return;
  var start = box.querySelector("[data-push-start]"), stop = box.querySelector("[data-push-stop]");
  var said = box.querySelector("[data-push-said]"), why = box.querySelector("[data-push-why]");
  var known = box.dataset.pushKnown.split(" ");
  box.hidden = false;
  subscribed().then(function (subscription) {
    // The browser may have agreed for somebody else, or the server may have forgotten it since.
    return subscription && hash(subscription.endpoint).then(function (found) {
      if (known.indexOf(found) >= 0) show(true, box.dataset.noted);
    });
  }).catch(function () {});

  start.addEventListener("click", function () {
    start.disabled = true;
    said.textContent = "";
    // Asked for in the tap itself: browsers refuse it any later.
    Notification.requestPermission().then(function (permission) {
      if (permission !== "granted") throw inWords(box.dataset.denied);
      return navigator.serviceWorker.register("/go/push-worker.js", { scope: "/go" });
    }).then(ready).then(subscribe).then(tell).then(function (message) { show(true, message).focus(); })
      .catch(told);
  });
  stop.addEventListener("click", function () {
    stop.disabled = true;
    subscribed().then(function (subscription) {
      if (!subscription) return "";
      return tell({ stop: true, endpoint: subscription.endpoint }).then(function (message) {
        return subscription.unsubscribe().then(function () { return message; });
      });
    }).then(function (message) { show(false, message).focus(); }).catch(told);
  });

  function subscribed() {
    return navigator.serviceWorker.getRegistration("/go").then(function (registration) {
      return registration ? registration.pushManager.getSubscription() : null;
    });
  }
  function ready(registration) {
    return new Promise(function (resolve, reject) {
      var worker = registration.active || registration.waiting || registration.installing;
      if (registration.active) return resolve(registration);
      worker.addEventListener("statechange", function () {
        if (worker.state === "activated") resolve(registration);
        if (worker.state === "redundant") reject(new Error("the worker was replaced"));
      });
    });
  }
  function subscribe(registration) {
    return registration.pushManager.getSubscription().then(function (old) { return old && old.unsubscribe(); }).then(function () {
      return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.push) });
    });
  }
  function tell(content) {
    return fetch(box.dataset.pushUrl, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(content),
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    }).then(function (response) {
      return response.json().then(function (answer) {
        if (!response.ok) throw inWords(answer.message);
        return answer.message;
      });
    });
  }
  function inWords(message) {
    var error = new Error(message);
    error.isOurs = true;
    return error;
  }
  function told(error) {
    start.disabled = stop.disabled = false;
    said.textContent = error.isOurs ? error.message : box.dataset.failed;
  }
  function show(isOn, message) {
    start.disabled = stop.disabled = false;
    start.hidden = why.hidden = isOn;
    stop.hidden = !isOn;
    said.textContent = message;
    return isOn ? stop : start;
  }
  function hash(text) {
    return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)).then(function (found) {
      return Array.from(new Uint8Array(found), function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
    });
  }
  function bytes(text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/") + "===".slice((text.length + 3) % 4));
    return Uint8Array.from(raw, function (character) { return character.charCodeAt(0); });
  }
})();
