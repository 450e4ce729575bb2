// Shows reminders of an unfinished registration. It serves no pages and keeps nothing.
self.addEventListener("push", function (event) {
  var told = {};
  try { told = event.data ? event.data.json() : {}; } catch (error) { told = {}; }
  // Only to our own registration page, whatever a push says.
  var url = typeof told.url === "string" && /^\/go(\/|$)/.test(told.url) ? told.url : "/go";
  event.waitUntil(self.registration.showNotification(String(told.title || ""), {
    body: String(told.body || ""), tag: "registration", icon: "/static/img/icon.svg", data: { url: url },
  }));
});

self.addEventListener("notificationclick", function (event) {
  event.notification.close();
  var url = new URL(event.notification.data.url, self.location.origin).href;
  event.waitUntil(self.clients.matchAll({ type: "window", includeUncontrolled: true }).then(function (pages) {
    var open = pages.filter(function (page) { return new URL(page.url).pathname.indexOf("/go") === 0; })[0];
    return open ? open.focus() : self.clients.openWindow(url);
  }));
});
