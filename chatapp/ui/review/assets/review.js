// The Review page's own behaviour. The server decides and renders; this turns filters and forms
// into events, shows one of the three panes, and keeps what was typed and which rows are open.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const TABS = ["queue", "examples", "numbers"];
  const PAGE = 50;
  let limit = PAGE;
  let searching = 0;
  const open = new Set(); // rows that are unfolded
  const drafts = new Map(); // what was typed into them

  const field = (name) => $(`.filters [name=${name}]`)?.value ?? "";
  const view = () => ({ status: field("status"), reason: field("reason"), search: field("search"), examples: field("examples"), limit });
  const send = (event, data = {}) => app.ask(event, { ...data, view: view() });

  // ---- tabs ---------------------------------------------------------------------------------
  const tab = () => document.body.dataset.tab;
  function showTab(name, focus = false) {
    document.body.dataset.tab = name;
    const url = new URL(location.href);
    url.searchParams.set("tab", name);
    if (url.href !== location.href) history.replaceState(null, "", url);
    drawTabs(focus);
    if (name === "numbers") send("numbers");
  }
  function drawTabs(focus = false) {
    $$('[role="tab"][data-tab]').forEach((button) => {
      const here = button.dataset.tab === tab();
      button.setAttribute("aria-selected", String(here));
      button.tabIndex = here ? 0 : -1;
      if (here && focus) button.focus();
    });
  }

  // ---- forms --------------------------------------------------------------------------------
  const rowOf = (element) => element.closest("[data-id]");
  const values = (form) => ({
    question: form.elements.question.value,
    answer: form.elements.answer.value,
    mask: form.elements.mask?.checked ? "yes" : "no",
    collection: form.elements.collection?.value ?? "",
    note: form.elements.note?.value ?? "",
  });
  function working(form, yes) {
    $$("button", form).forEach((button) => { button.disabled = yes; });
  }
  function decide(form, what) {
    const said = values(form);
    const needs = { approve: ["question", "answer"], to_faq: ["question", "answer"], missing_document: ["question"], reject: [] }[what];
    const empty = needs.find((name) => !said[name].trim());
    if (empty) { form.elements[empty].focus(); form.elements[empty].reportValidity?.(); return; }
    const { id } = rowOf(form).dataset;
    working(form, true);
    send(what, { id, ...said });
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!["filter", "decide", "example"].includes(form.dataset.form)) return;
    event.preventDefault();
    if (form.dataset.form === "filter") changed();
    if (form.dataset.form === "decide") decide(form, event.submitter?.value ?? "approve");
    if (form.dataset.form === "example") {
      working(form, true);
      send("edit_example", { id: rowOf(form).dataset.id, ...values(form) });
    }
  });
  // It was not taken: the form can be sent again.
  app.refused = () => $$("form[data-form=decide], form[data-form=example]").forEach((form) => working(form, false));

  function changed() {
    limit = PAGE;
    open.clear();
    clearTimeout(searching);
    send("filter");
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-form]");
    if (form?.dataset.form === "decide") drafts.set(rowOf(form).dataset.id, values(form));
    if (event.target.matches(".filters input")) { clearTimeout(searching); searching = setTimeout(changed, 250); }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".filters select")) changed();
  });

  function editExample(row) {
    if ($("form", row)) return;
    const { question, answer } = JSON.parse(row.dataset.example);
    const form = document.createElement("form");
    form.className = "card";
    form.dataset.form = "example";
    for (const [name, value, rows, key] of [["question", question, 2, "column_example"], ["answer", answer, 4, "column_learned"]]) {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("textarea"), { name, value, rows, required: true, maxLength: 8000 });
      label.append(Object.assign(document.createElement("span"), { textContent: app.text(key) }), box);
      form.append(label);
    }
    const acts = document.createElement("div");
    acts.className = "card-acts";
    const cancel = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: app.text("cancel") });
    cancel.onclick = () => close(row);
    acts.append(cancel, Object.assign(document.createElement("button"), { className: "solid", textContent: app.text("save") }));
    form.append(acts);
    const cell = row.insertCell();
    cell.colSpan = 3;
    cell.append(form);
    row.classList.add("editing");
    form.elements.answer.focus();
  }
  function close(row) {
    $("form", row).closest("td").remove();
    row.classList.remove("editing");
    $('[data-do="edit-example"]', row).focus();
  }

  // ---- clicks and keys ----------------------------------------------------------------------
  Object.assign(app.acts, {
    undo(button) {
      app.ask(button.dataset.event, { ids: JSON.parse(button.dataset.ids), view: view() });
      button.closest(".notice").remove();
    },
    "undo-decision": (button) => { button.disabled = true; send("undo", { ids: [rowOf(button).dataset.id] }); },
    more: () => { limit += PAGE; send("filter"); },
    "edit-example": (button) => editExample(rowOf(button)),
    "delete-example": (button) => send("delete_example", { id: rowOf(button).dataset.id }),
  });
  document.addEventListener("click", (event) => {
    const named = event.target.closest('[role="tab"][data-tab]');
    if (named) showTab(named.dataset.tab);
  });
  document.addEventListener("toggle", (event) => {
    const row = event.target.parentElement;
    if (!row?.matches?.(".remark")) return;
    event.target.open ? open.add(row.dataset.id) : open.delete(row.dataset.id);
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const form = event.target.closest?.("form[data-form]");
    if (event.key === "Escape" && form?.dataset.form === "example") close(rowOf(form));
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form?.dataset.form === "decide") decide(form, "approve");
    const named = event.target.closest?.('[role="tab"][data-tab]');
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (named && step) showTab(TABS[(TABS.indexOf(named.dataset.tab) + step + TABS.length) % TABS.length], true);
  });

  // ---- after every change of the page -------------------------------------------------------
  let drawn = "";
  app.whenDrawn(() => {
    drawTabs();
    $$("#main .pane").forEach((panel) => {
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", panel.id.replace("panel-", "tab-"));
    });
    $$("[data-hint]:not([placeholder])").forEach((input) => { input.placeholder = app.text(input.dataset.hint); });
    const rows = $$("#queue .remark");
    rows.forEach((row) => {
      const details = $("details", row);
      if (open.has(row.dataset.id) && !row.dataset.seen) details.open = true;
      const said = drafts.get(row.dataset.id);
      const form = $("form", row);
      if (said && form && !row.dataset.seen) {
        for (const name of ["question", "answer", "collection", "note"]) form.elements[name].value = said[name];
        form.elements.mask.checked = said.mask === "yes";
      }
      row.dataset.seen = "yes";
    });
    const facts = $("#head .facts")?.textContent ?? "";
    if (facts !== drawn) { drawn = facts; app.countWaiting(); }
  });
  document.addEventListener("DOMContentLoaded", () => {
    const wanted = new URLSearchParams(location.search).get("tab");
    document.body.dataset.tab = TABS.includes(wanted) ? wanted : "queue";
  });
})();
