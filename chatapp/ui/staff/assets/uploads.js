// Files on their way to the server: chosen, dropped, or in a dropped folder. Sent one after another,
// as the server reads one after another too; what became of each is in the list it draws.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const queue = [];
  const failed = [];
  let sending = null;
  let done = 0;

  // ---- what was chosen or dropped -----------------------------------------------------------
  const hidden = (name) => name.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
  function add(files) {
    const here = app.collection();
    if (!here) return;
    const most = Number($("[data-most]").dataset.most);
    files.filter(({ name }) => !hidden(name)).forEach(({ file, name }) => {
      // Refused here too, as a browser seldom hears an answer that comes before all is sent.
      if (file.size > most) failed.push({ name, reason: app.text("too_large", { most: Math.floor(most / 1048576) }) });
      else queue.push({ file, name, collection: here.id });
    });
    next();
  }
  const chosenFiles = (input) => [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  async function inside(entry, path = "") {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [{ file, name: path + file.name }];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) { // a folder is read some hundred entries at a time
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      for (const one of some) found.push(...await inside(one, `${path}${entry.name}/`));
    }
    return found;
  }

  // ---- sending ------------------------------------------------------------------------------
  function next() {
    if (sending || !queue.length) { draw(); return; }
    sending = queue.shift();
    const { file, name, collection } = sending;
    const request = new XMLHttpRequest();
    request.open("POST", `/staff/collections/${collection}/documents?name=${encodeURIComponent(name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => { sending.share = event.loaded / Math.max(event.total, 1); draw(); };
    request.onload = () => {
      if (request.status === 401) { location.reload(); return; }
      if (request.status >= 400) failed.push({ name, reason: reasonOf(request) });
      else done += 1;
      over();
    };
    request.onerror = () => { failed.push({ name, reason: app.text("connection_lost") }); over(); };
    request.onabort = over;
    sending.request = request;
    request.send(file);
    draw();
  }
  function reasonOf(request) {
    try { return JSON.parse(request.responseText).error.message; } catch { return `${request.status}`; }
  }
  function over() {
    sending = null;
    app.refresh();
    next();
  }
  function stop() {
    queue.length = 0;
    sending?.request.abort();
  }

  // ---- what is shown ------------------------------------------------------------------------
  function element(tag, className, content = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = content;
    return made;
  }
  function button(className, label, act) {
    const made = element("button", className, label);
    made.type = "button";
    made.onclick = act;
    return made;
  }
  function draw() {
    const place = $("#uploads");
    if (!place) return;
    place.replaceChildren();
    if (sending) {
      const line = element("div", "sending");
      const left = queue.length + 1;
      line.append(
        element("span", "name", left > 1 ? app.text("uploading_many", { n: left }) : app.text("uploading", { name: sending.name })),
        button("plain", app.text("stop"), stop),
      );
      const bar = element("span", "bar");
      const fill = element("span", "");
      fill.style.width = `${(sending.share ?? 0) * 100}%`;
      bar.append(fill);
      line.append(bar);
      place.append(line);
    }
    failed.forEach((one, index) => {
      const line = element("div", "upload-failed");
      line.append(
        element("span", "", app.text("upload_failed", one)),
        button("plain", app.text("dismiss"), () => { failed.splice(index, 1); draw(); }),
      );
      place.append(line);
    });
  }

  // ---- FAQ tables ---------------------------------------------------------------------------
  async function importFaq(file) {
    const here = app.collection();
    const answer = await fetch(`/staff/collections/${here.id}/faq?name=${encodeURIComponent(file.name)}`, {
      method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
    });
    const told = await answer.json();
    app.tell(answer.ok ? app.text("imported_faq", told) : told.error.message, !answer.ok);
    app.ask("reload_faq");
  }
  app.tell = (sentence, wrong = false) => {
    $("#told")?.remove();
    const bar = element("div", wrong ? "told wrong" : "told");
    bar.id = "told";
    bar.setAttribute("role", wrong ? "alert" : "status");
    bar.append(element("span", "", sentence), button("plain", app.text("dismiss"), () => bar.remove()));
    $(".faq-tools").after(bar);
  };

  // ---- the page -----------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const picker = { "pick-files": "pick-files", "pick-folder": "pick-folder", "import-faq": "pick-faq" }[
      event.target.closest("[data-do]")?.dataset.do];
    if (picker) document.getElementById(picker).click();
  });
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.id === "pick-files" || input.id === "pick-folder") { add(chosenFiles(input)); input.value = ""; }
    if (input.id === "pick-faq" && input.files.length) { importFaq(input.files[0]); input.value = ""; }
  });
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  function cover(on) {
    depth = on ? depth : 0;
    document.body.toggleAttribute("data-dropping", on);
    const here = app.collection();
    const zone = $("#drop-zone");
    if (zone && here) zone.firstElementChild.textContent = app.text("drop_here", { name: here.name });
  }
  addEventListener("dragenter", (event) => { if (carriesFiles(event)) { depth += 1; cover(true); } });
  addEventListener("dragleave", (event) => { if (carriesFiles(event) && (depth -= 1) <= 0) cover(false); });
  addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    cover(false);
    // The entries have to be taken before the first wait: the event empties itself.
    const files = [...event.dataTransfer.files].map((file) => ({ file, name: file.name }));
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.length) add(files);
    for (const entry of entries) add(await inside(entry));
  });
  addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });
  document.addEventListener("DOMContentLoaded", () => {
    const zone = element("div", "");
    zone.id = "drop-zone";
    zone.append(element("strong", ""));
    document.body.append(zone);
  });
})();
