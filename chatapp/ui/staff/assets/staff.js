// The Knowledge page's own behaviour. The server decides and renders; this turns clicks, keys and
// forms into events, shows one of the four panels, and asks how far the files have come.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const phone = matchMedia("(max-width: 800px)");
  const PAGE = 100;
  let limit = PAGE;
  let polling = 0;
  let shown = "";
  const chosen = new Set();
  const text = app.text;
  const trigger = app.ask;

  app.wanted = () => new URLSearchParams(location.search).get("collection") ?? "";
  app.collection = () => $("#head .title")?.dataset;
  app.refresh = () => trigger("refresh", { limit });

  // ---- tabs ---------------------------------------------------------------------------------
  const tab = () => document.body.dataset.tab;
  function showTab(name, focus = false) {
    document.body.dataset.tab = name;
    $$('[role="tab"][data-tab]').forEach((button) => {
      const here = button.dataset.tab === name;
      button.setAttribute("aria-selected", String(here));
      button.tabIndex = here ? 0 : -1;
      if (here && focus) button.focus();
    });
    if (name === "unanswered" && !$("#groups .groups")) trigger("unanswered", {});
    if (name === "try" && !$("#hits .thresholds")) $("#try")?.click();
    if (name === "try" && focus === false && !phone.matches) $("#question input, #question textarea")?.focus();
    remember();
  }
  function remember() {
    const url = new URL(location.href);
    const name = app.collection()?.name;
    if (name) url.searchParams.set("collection", name);
    url.searchParams.set("tab", tab());
    if (url.href !== location.href) history.replaceState(null, "", url);
  }

  // ---- rows that are chosen -----------------------------------------------------------------
  function drawChosen() {
    const rows = $$("#documents tr[data-id]");
    const there = new Set(rows.map((row) => row.dataset.id));
    [...chosen].forEach((id) => there.has(id) || chosen.delete(id));
    rows.forEach((row) => { $("input", row).checked = chosen.has(row.dataset.id); });
    const every = $("#documents [data-do-all]");
    if (every) {
      every.checked = rows.length > 0 && chosen.size === rows.length;
      every.indeterminate = chosen.size > 0 && chosen.size < rows.length;
    }
    const bar = $("#documents .chosen");
    if (!bar) return;
    bar.hidden = chosen.size === 0;
    const told = text("chosen", { n: chosen.size });
    if ($(".chosen-count", bar).textContent !== told) $(".chosen-count", bar).textContent = told;
  }

  // ---- forms --------------------------------------------------------------------------------
  function openEntry(place, entry, after) {
    const form = $("#entry-form").content.firstElementChild.cloneNode(true);
    form.elements.questions.value = entry.questions.join("\n");
    form.elements.answer.value = entry.answer;
    form.elements.language.value = entry.language;
    form.elements.tags.value = entry.tags.join(", ");
    const note = $(".note", form);
    note.textContent = entry.note ?? "";
    note.hidden = !entry.note;
    form.entry = entry;
    form.after = after;
    place(form);
    requestAnimationFrame(() => {
      const first = entry.questions.length && entry.note ? form.elements.answer : form.elements.questions;
      first.focus();
    });
  }
  function closeForm(form) {
    if (form.dataset.form === "paste") { form.reset(); form.hidden = true; return; }
    form.after?.();
    form.remove();
  }
  const lines = (value) => value.split("\n").map((one) => one.trim()).filter(Boolean);
  const list = (value) => value.split(/[,，、]/).map((one) => one.trim()).filter(Boolean);
  const share = (field) => (field.value === "" ? null : Number(field.value));
  const submits = {
    entry(form) {
      const { questions, answer, language, tags } = form.elements;
      trigger("save_entry", {
        id: form.entry.id,
        questions: lines(questions.value),
        answer: answer.value,
        language: language.value,
        tags: list(tags.value),
      });
      if (form.entry.unanswered?.length) trigger("answered", { unanswered: form.entry.unanswered });
      closeForm(form);
    },
    paste(form) {
      trigger("paste", { title: form.elements.title.value, text: form.elements.text.value });
      closeForm(form);
    },
    thresholds(form) {
      trigger("thresholds", { documents: share(form.elements.documents), faq: share(form.elements.faq) });
    },
    name(form) {
      const name = form.elements.name.value.trim();
      if (name && name !== form.before) trigger(form.event, { name });
      form.done();
    },
  };
  document.addEventListener("submit", (event) => {
    const submit = submits[event.target.dataset.form];
    if (!submit) return;
    event.preventDefault();
    submit(event.target);
  });

  // A name is typed where it will stand.
  function askName(place, event, before, done) {
    if ($("form[data-form=name]")) return;
    const form = document.createElement("form");
    const input = document.createElement("input");
    form.dataset.form = "name";
    form.className = "name-form";
    Object.assign(input, { name: "name", value: before, maxLength: 64 });
    input.setAttribute("aria-label", text("collection_name"));
    input.placeholder = text("collection_name");
    let over = false;
    form.event = event;
    form.before = before;
    form.done = () => { if (over) return; over = true; form.remove(); done?.(); };
    form.append(input);
    input.onblur = () => { if (!over) { input.value.trim() ? form.requestSubmit() : form.done(); } };
    place(form);
    input.select();
    input.focus();
  }

  // ---- panels -------------------------------------------------------------------------------
  function drawer(open) {
    document.body.dataset.sidebar = open ? "open" : "closed";
    $(".tool-menu")?.setAttribute("aria-expanded", String(open));
  }
  const fit = () => drawer(!phone.matches);
  phone.addEventListener("change", fit);

  // ---- clicks and keys ----------------------------------------------------------------------
  const row = (button) => button.closest("[data-id]");
  Object.assign(app.acts, {
    menu: () => drawer(document.body.dataset.sidebar !== "open"),
    open: (button) => { chosen.clear(); limit = PAGE; trigger("open", { id: button.dataset.id }); if (phone.matches) drawer(false); },
    "new-collection": () => askName((form) => $("#collections-head .side-head").after(form), "create", ""),
    "rename-collection": () => {
      const title = $("#head .title h1");
      askName((form) => { title.hidden = true; title.before(form); }, "rename", title.textContent, () => { title.hidden = false; });
    },
    "remove-collection": () => trigger("remove", {}),
    paste: () => { const form = $('[data-form="paste"]'); form.hidden = !form.hidden; if (!form.hidden) form.elements.title.focus(); },
    stop: () => trigger("stop_intake", {}),
    clear: () => trigger("clear", {}),
    more: () => { limit += PAGE; app.refresh(); },
    demo: (button) => { button.disabled = true; trigger("demo", {}); },
    "delete-document": (button) => trigger("delete_documents", { ids: [row(button).dataset.id] }),
    "delete-chosen": () => { trigger("delete_documents", { ids: [...chosen] }); chosen.clear(); },
    "new-entry": () => {
      if (!$("#new-entry form")) openEntry((form) => $("#new-entry").append(form), { id: "", questions: [], answer: "", language: "", tags: [] });
    },
    "edit-entry": (button) => {
      const entry = button.closest("tr");
      const cells = entry.insertCell();
      cells.colSpan = 3;
      entry.classList.add("editing");
      openEntry((form) => cells.append(form), JSON.parse(entry.dataset.entry), () => { cells.remove(); entry.classList.remove("editing"); });
    },
    "delete-entry": (button) => trigger("delete_entries", { ids: [row(button).dataset.id] }),
    draft: (button) => {
      button.disabled = true;
      button.querySelector("svg").nextSibling.textContent = text("drafting");
      trigger("draft", { id: row(button).dataset.id });
    },
    "dismiss-group": (button) => trigger("dismiss_group", { ids: row(button).dataset.ids.split(" ") }),
    "close-form": (button) => closeForm(button.closest("form")),
    unfold: (paragraph) => paragraph.classList.toggle("clip"),
  });
  document.addEventListener("click", (event) => {
    if (event.target.matches(".backdrop")) { drawer(false); return; }
    const named = event.target.closest('[role="tab"][data-tab]');
    if (named) showTab(named.dataset.tab);
  });
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("#documents [data-do-all]")) {
      $$("#documents tr[data-id]").forEach((one) => (box.checked ? chosen.add(one.dataset.id) : chosen.delete(one.dataset.id)));
    } else if (box.matches("#documents tr[data-id] input")) {
      const { id } = box.closest("tr").dataset;
      box.checked ? chosen.add(id) : chosen.delete(id);
    } else return;
    drawChosen();
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      const form = event.target.closest("form[data-form]");
      if (form?.dataset.form === "name") form.done();
      else if (form && form.dataset.form !== "thresholds") closeForm(form);
      else if (phone.matches) drawer(false);
    }
    const named = event.target.closest?.('[role="tab"][data-tab]');
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (named && step) {
      const names = $$('[role="tab"][data-tab]').map((one) => one.dataset.tab);
      showTab(names[(names.indexOf(named.dataset.tab) + step + names.length) % names.length], true);
    }
  });

  // ---- after every change of the page -------------------------------------------------------
  app.whenDrawn(() => {
    $$("#main .pane").forEach((panel) => {
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", panel.id.replace("panel-", "tab-"));
    });
    const here = app.collection();
    if (here && here.id !== shown) { // another collection: its panels begin anew
      shown = here.id;
      showTab(tab(), null);
    } else if (here && !$('[role="tab"][aria-selected]')) showTab(tab(), null);
    if (here) {
      remember();
      $$("[data-export]").forEach((link) => {
        const address = `/staff/collections/${here.id}/faq.${link.dataset.export}`;
        if (link.getAttribute("href") !== address) link.href = address;
      });
    }
    if (tab() === "unanswered" && here && !$("#groups .groups") && !asked) {
      asked = true;
      trigger("unanswered", {});
    } else if ($("#groups .groups")) asked = false;
    $$("#groups [data-draft]").forEach((group) => {
      const draft = JSON.parse(group.dataset.draft);
      group.removeAttribute("data-draft");
      openEntry((form) => group.append(form), draft);
    });
    drawChosen();
    poll();
  });
  let asked = false;
  function poll() {
    const listed = $("#documents .documents");
    const here = app.collection();
    if (polling || !listed || !here) return;
    const stale = listed.dataset.collection !== here.id;
    const again = Number(listed.dataset.again);
    if (!again && !stale) return;
    polling = setTimeout(() => {
      polling = 0;
      if (document.visibilityState === "visible") app.refresh();
      else setTimeout(poll, again);
    }, stale ? 0 : again);
  }
  document.addEventListener("DOMContentLoaded", () => {
    const wanted = new URLSearchParams(location.search).get("tab");
    document.body.dataset.tab = ["documents", "faq", "try", "unanswered"].includes(wanted) ? wanted : "documents";
    const backdrop = document.createElement("div");
    backdrop.className = "backdrop";
    document.body.append(backdrop);
    fit();
  });
})();
