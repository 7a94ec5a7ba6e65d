// Files on their way to the server: labelled data that was chosen or dropped, and adapters.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  let sending = null;

  function element(tag, className, content = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = content;
    return made;
  }
  function button(label, act) {
    const made = element("button", "plain", label);
    made.type = "button";
    made.onclick = act;
    return made;
  }
  const reasonOf = (request) => {
    try { return JSON.parse(request.responseText).error.message; } catch { return `${request.status}`; }
  };

  // ---- one file, with its progress ----------------------------------------------------------
  function send(file, address, place, then) {
    const most = Number($("[data-most]").dataset.most);
    if (file.size > most) {
      failed(place, file.name, app.text("too_large", { most: Math.floor(most / 1048576) }));
      return;
    }
    sending?.abort();
    const request = new XMLHttpRequest();
    sending = request;
    request.open("POST", address);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => draw(place, file.name, event.loaded / Math.max(event.total, 1), request);
    request.onload = () => {
      place.replaceChildren();
      if (request.status === 401) location.reload();
      else if (request.status >= 400) failed(place, file.name, reasonOf(request));
      else then(JSON.parse(request.responseText));
    };
    request.onerror = () => failed(place, file.name, app.text("connection_lost"));
    request.onabort = () => place.replaceChildren();
    request.onloadend = () => { if (sending === request) sending = null; };
    request.send(file);
    draw(place, file.name, 0, request);
  }
  function draw(place, name, share, request) {
    const line = element("div", "sending");
    const told = share < 1
      ? app.text("sending", { name, share: Math.round(share * 100) })
      : app.text("reading", { name });
    const bar = element("span", share < 1 ? "bar" : "bar unknown");
    const fill = element("span", "");
    if (share < 1) fill.style.width = `${share * 100}%`;
    bar.append(fill);
    line.append(element("span", "name", told), button(app.text("cancel"), () => request.abort()), bar);
    place.replaceChildren(line);
  }
  function failed(place, name, reason) {
    const line = element("div", "upload-failed");
    line.setAttribute("role", "alert");
    line.append(
      element("span", "", reason.includes(name) ? reason : app.text("upload_failed", { name, reason })),
      button(app.text("dismiss"), () => line.remove()),
    );
    place.replaceChildren(line);
  }
  app.tell = (reason) => failed($("#uploads"), "", reason);

  function sendData(file) {
    send(file, `/teach/files/datasets?name=${encodeURIComponent(file.name)}`, $("#uploads"),
      (made) => app.ask("open_data", { data: made.id }));
  }
  function sendAdapter(file) {
    const name = file.name.replace(/\.zip$/i, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "imported";
    send(file, `/teach/files/adapters?name=${encodeURIComponent(name.slice(0, 64))}`, $("#imports"),
      () => app.ask("refresh", { run: "" }));
  }

  // ---- choosing and dropping ----------------------------------------------------------------
  const pickers = { "pick-data": sendData, "pick-adapter": sendAdapter };
  Object.assign(app.acts, {
    "pick-data": () => $("#pick-data").click(),
    "pick-adapter": () => $("#pick-adapter").click(),
  });
  document.addEventListener("change", (event) => {
    const take = pickers[event.target.id];
    if (!take || !event.target.files.length) return;
    take(event.target.files[0]);
    event.target.value = "";
  });
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  function cover(on) {
    depth = on ? depth : 0;
    document.body.toggleAttribute("data-dropping", on);
    const zone = $("#drop-zone strong");
    if (zone) zone.textContent = app.text("drop_data");
  }
  addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth += 1; cover(true); } });
  addEventListener("dragleave", (event) => { if (carriesFiles(event) && (depth -= 1) <= 0) cover(false); });
  addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    cover(false);
    const [file] = event.dataTransfer.files;
    if (file) sendData(file);
  });
  addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });
  document.addEventListener("DOMContentLoaded", () => {
    const zone = element("div", "");
    zone.id = "drop-zone";
    zone.append(element("strong", ""));
    document.body.append(zone);
  });
})();
