// Passkeys: hands the server's question to the browser and its answer back. Plain ES2017.
(function () {
  function bytes(text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/")), out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i += 1) out[i] = raw.charCodeAt(i);
    return out;
  }
  function text(buffer) {
    var raw = Array.prototype.map.call(new Uint8Array(buffer), function (code) { return String.fromCharCode(code); }).join("");
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function listed(credentials) {
    return (credentials || []).map(function (one) { return Object.assign({}, one, { id: bytes(one.id) }); });
  }
  // The credential as JSON, in the shape that the specification gives it.
  function told(credential) {
    var response = {}, from = credential.response;
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (from[name]) response[name] = text(from[name]);
    });
    if (from.getTransports) response.transports = from.getTransports();
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: response,
      clientExtensionResults: credential.getClientExtensionResults(),
      authenticatorAttachment: credential.authenticatorAttachment
    });
  }
  function create(asked) {
    var key = Object.assign({}, asked, { challenge: bytes(asked.challenge), excludeCredentials: listed(asked.excludeCredentials) });
    key.user = Object.assign({}, asked.user, { id: bytes(asked.user.id) });
    return navigator.credentials.create({ publicKey: key });
  }
  function get(asked) {
    var key = Object.assign({}, asked, { challenge: bytes(asked.challenge), allowCredentials: listed(asked.allowCredentials) });
    return navigator.credentials.get({ publicKey: key });
  }
  function options(form) {
    var written = form.querySelector("script[type='application/json']");
    if (written) return Promise.resolve(JSON.parse(written.textContent));
    return fetch(form.dataset.optionsUrl, { credentials: "same-origin", headers: { Accept: "application/json" }, cache: "no-store" })
      .then(function (response) { if (!response.ok) throw new Error(String(response.status)); return response.json(); });
  }
  function say(form, words) {
    var line = form.querySelector("[data-passkey-error]");
    line.textContent = words;
    line.hidden = !words;
  }

  function prepare(form) {
    var isNew = form.dataset.passkey === "create", line = form.querySelector("[data-passkey-error]"), isBusy = false;
    if (!window.PublicKeyCredential || !navigator.credentials) {
      if (line.dataset.missing) say(form, line.dataset.missing);
      return;
    }
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      say(form, "");
      options(form)
        .then(function (all) { return isNew ? create(all.creation_options.publicKey) : get(all.request_options.publicKey); })
        .then(function (credential) {
          form.querySelector("[name=credential]").value = told(credential);
          form.submit();
        })
        .catch(function () { isBusy = false; say(form, line.dataset.failed); });
    });
  }
  document.addEventListener("DOMContentLoaded", function () {
    Array.prototype.forEach.call(document.querySelectorAll("form[data-passkey]"), prepare);
  });
})();
