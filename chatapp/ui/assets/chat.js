// The page's own behaviour. The server decides and renders; this draws the line under each turn,
// turns clicks and keys into events, and moves the two panels.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const phone = matchMedia("(max-width: 800px)");
  let state = { conversation: "", busy: false, turns: [] };
  let trigger = () => {};
  let unsent = "";
  let started = false;
  let noticed = "";
  const text = (key) => window.gradio_config.i18n_translations[app.locale][key];

  // ---- what the other scripts need -----------------------------------------------------------
  app.page = {
    ask: (id) => trigger("sheet", { id }),
    send: (event, data) => trigger(event, data),
    row: (id) => $(`[data-turn="${state.turns.findIndex((turn) => turn.id === id)}"]`),
    turn: (id) => state.turns.find((turn) => turn.id === id),
    foot: (id) => $(`[data-turn="${state.turns.findIndex((turn) => turn.id === id)}"] .foot`),
    closeOthers: () => { panel("settings", false); if (phone.matches) panel("sidebar", false); },
    phone,
  };

  // ---- what Gradio's events call ------------------------------------------------------------
  app.connect = (send) => { trigger = send; };
  app.wanted = () => new URLSearchParams(location.search).get("c") ?? "";
  app.take = (question) => { unsent = question; return ["", question]; };
  app.turns = (json) => {
    if (!json) return;
    const before = state;
    state = JSON.parse(json);
    unsent = "";
    document.body.toggleAttribute("data-busy", state.busy);
    document.body.toggleAttribute("data-empty", state.turns.length === 0);
    if (state.conversation !== before.conversation || !started) remember();
    started = true;
    if (state.announce) announce(state.announce);
    decorate();
    app.sources.follow();
    app.feedback.follow();
  };
  app.save = (file) => {
    const { name, type, text: content } = JSON.parse(file);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  // ---- the address bar ----------------------------------------------------------------------
  function remember() {
    const url = new URL(location.href);
    if ((url.searchParams.get("c") ?? "") === state.conversation) return;
    if (state.conversation) url.searchParams.set("c", state.conversation);
    else url.searchParams.delete("c");
    history[started ? "pushState" : "replaceState"](null, "", url);
  }
  addEventListener("popstate", () => trigger("open", { id: app.wanted() }));

  // ---- the line under each turn -------------------------------------------------------------
  function decorate() {
    const log = $('#thread [role="log"]');
    if (log) {
      log.setAttribute("aria-live", "off"); // answers are announced once, when they are complete
      log.setAttribute("aria-label", text("thread"));
    }
    document.querySelectorAll("#thread .message-row").forEach((row, index) => {
      const turn = state.turns[index];
      let foot = $(":scope > .foot", row);
      if (!turn) { foot?.remove(); return; }
      if (!foot) {
        foot = document.createElement("div");
        foot.className = "foot";
        row.append(foot);
      }
      row.dataset.turn = index;
      row.toggleAttribute("data-blank", !$(".md", row)?.firstChild);
      row.setAttribute("role", "group");
      row.setAttribute("aria-label", text(turn.role === "user" ? "you" : "assistant"));
      if (foot.shown !== turn.foot) {
        const held = foot.contains(document.activeElement) && document.activeElement.dataset.do;
        foot.shown = turn.foot;
        foot.innerHTML = turn.foot;
        if (held) $(`[data-do="${held}"]`, foot)?.focus();
      }
    });
  }
  function announce(sentence) {
    let region = $("#announcer");
    if (!region) {
      region = document.createElement("div");
      region.id = "announcer";
      region.className = "sr-only";
      region.setAttribute("aria-live", "polite");
      document.body.append(region);
    }
    region.textContent = sentence;
  }

  // ---- writing ------------------------------------------------------------------------------
  const box = () => $("#composer textarea");
  function fill(draft) {
    const area = box();
    area.value = draft;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }
  function ask(question) {
    fill(question);
    requestAnimationFrame(() => $("#send").click());
  }

  function openEditor(row, turn) {
    if ($(".editor", row)) return;
    const editor = document.createElement("form");
    editor.className = "editor";
    const area = document.createElement("textarea");
    area.value = turn.text;
    area.rows = Math.min(12, turn.text.split("\n").length + 1);
    area.setAttribute("aria-label", text("edit_label"));
    const button = (label, type, className) => {
      const made = document.createElement("button");
      Object.assign(made, { type, className, textContent: label });
      return made;
    };
    const cancel = button(text("cancel"), "button", "plain");
    editor.append(area, button(text("edit_send"), "submit", "solid"), cancel);
    const close = () => { editor.remove(); row.classList.remove("editing"); $('[data-do="edit"]', row)?.focus(); };
    cancel.onclick = close;
    editor.onsubmit = (event) => {
      event.preventDefault();
      if (!area.value.trim()) return;
      close();
      trigger("edit", { id: turn.id, text: area.value });
    };
    editor.onkeydown = (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") { event.stopPropagation(); close(); }
      if (event.key === "Enter" && !event.shiftKey && event.target === area) {
        event.preventDefault();
        editor.requestSubmit();
      }
    };
    row.classList.add("editing");
    row.prepend(editor);
    area.focus();
  }

  function openRename(item) {
    if ($("input", item)) return;
    const input = document.createElement("input");
    input.value = item.dataset.title;
    input.maxLength = 200;
    input.setAttribute("aria-label", $('[data-do="rename"]', item).getAttribute("aria-label"));
    let over = false;
    const close = (keep) => {
      if (over) return;
      over = true;
      input.remove();
      item.classList.remove("renaming");
      if (keep && input.value.trim() && input.value !== item.dataset.title) {
        trigger("rename", { id: item.dataset.id, title: input.value });
      }
    };
    input.onblur = () => close(true);
    input.onkeydown = (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") { event.stopPropagation(); close(false); }
    };
    item.classList.add("renaming");
    item.prepend(input);
    input.select();
  }

  async function copy(button, copied) {
    try {
      await navigator.clipboard.writeText(copied);
    } catch { // no permission, or not a secure page
      const area = document.createElement("textarea");
      area.value = copied;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("done");
    announce(text("copied"));
    setTimeout(() => button.classList.remove("done"), 1500);
  }

  // ---- panels -------------------------------------------------------------------------------
  function panel(name, open) {
    document.body.dataset[name] = open ? "open" : "closed";
    const tool = $(name === "sidebar" ? ".tool-menu" : ".tool-settings");
    tool?.setAttribute("aria-expanded", String(open));
  }
  const isOpen = (name) => document.body.dataset[name] === "open";
  function toggle(name) {
    const open = !isOpen(name);
    if (phone.matches) panel(name === "sidebar" ? "settings" : "sidebar", false);
    if (open && (phone.matches || name === "settings")) app.sources.close();
    panel(name, open);
    if (open && name === "settings") {
      const area = $("#instructions textarea");
      area?.focus();
      area?.setSelectionRange(0, 0);
      if (area) area.scrollTop = 0;
    }
    if (open && name === "sidebar" && phone.matches) $("#new")?.focus();
  }
  function closeDrawers() {
    if (!phone.matches) return false;
    const open = isOpen("sidebar") || isOpen("settings");
    panel("sidebar", false);
    panel("settings", false);
    return open;
  }
  function fit() { panel("sidebar", !phone.matches); panel("settings", false); app.sources.close(); }
  phone.addEventListener("change", fit);

  // ---- clicks and keys ----------------------------------------------------------------------
  const acts = {
    copy: (button, turn) => copy(button, turn.text),
    retry: (_, turn) => state.busy || trigger("retry", { id: turn.id }),
    edit: (_, turn, row) => state.busy || openEditor(row, turn),
    undo: (_, turn) => state.busy || trigger("undo", { id: turn.id }),
    like: (_, turn) => trigger("like", { id: turn.id, verdict: "like" }),
    dislike: (button, turn, row) => app.feedback.dislike(button, turn, row),
    feedback: (_, turn, row) => app.feedback.open(turn, row),
    withdraw: (_, turn) => { app.feedback.close(); trigger("withdraw", { id: turn.id }); },
    show: (button) => state.busy || trigger("show", { target: button.dataset.target }),
    starter: (button) => ask(button.textContent),
    open: (button) => { trigger("open", { id: button.closest("li").dataset.id }); closeDrawers(); },
    rename: (button) => openRename(button.closest("li")),
    delete: (button) => trigger("delete", { id: button.closest("li").dataset.id }),
    restore: (button) => trigger("restore", { id: button.dataset.id }),
    dismiss: (button) => button.closest(".notice").remove(),
    export: (button) => trigger("export", { format: button.dataset.format }),
    menu: () => toggle("sidebar"),
    settings: () => toggle("settings"),
    theme: () => app.toggleTheme(),
    sources: (button, turn) => app.sources.open(turn, { from: button }),
    why: (button, turn) => app.sources.open(turn, { view: "trace", from: button }),
    view: (button) => app.sources.view(button.dataset.view),
    "close-sources": () => app.sources.close(),
    ...app.compare.acts,
  };
  document.addEventListener("click", (event) => {
    const language = event.target.closest("[data-language]");
    if (language) {
      sessionStorage.setItem("draft", box()?.value ?? "");
      app.setLanguage(language.dataset.language);
      return;
    }
    if (event.target.closest("#new")) { closeDrawers(); setTimeout(() => box()?.focus()); }
    if (event.target.matches(".backdrop")) app.sources.close() || closeDrawers();
    const citation = event.target.closest("#thread a.cite");
    if (citation) {
      event.preventDefault();
      const turn = state.turns[citation.closest(".message-row").dataset.turn];
      app.sources.open(turn, { number: citation.hash.replace("#source-", ""), from: citation });
      return;
    }
    const button = event.target.closest("[data-do]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const row = button.closest(".message-row");
    acts[button.dataset.do]?.(button, row && state.turns[row.dataset.turn], row);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      trigger("new", {});
      box()?.focus();
    } else if (event.key === "Escape" && !event.isComposing && !event.target.closest(".editor, .renaming, .feedback")) {
      if (!app.compare.close() && !app.sources.close() && !closeDrawers() && state.busy) trigger("stop", {});
    } else if (event.key === "Enter" && !event.shiftKey && event.target === box()) {
      // An empty question is not sent, nor a second one while an answer is being written.
      if (!event.isComposing && (state.busy || !box().value.trim())) event.preventDefault();
    }
  }, true);

  // ---- start --------------------------------------------------------------------------------
  function settle() {
    planned = false;
    document.querySelectorAll("[data-language]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.language === app.language)));
    document.querySelectorAll("[data-text]:empty").forEach((element) => {
      element.textContent = text(element.dataset.text);
    });
    document.querySelectorAll("[data-label]:not([aria-label])").forEach((element) => {
      element.title = text(element.dataset.label);
      element.setAttribute("aria-label", element.title);
    });
    if (box() && sessionStorage.getItem("draft")) {
      fill(sessionStorage.getItem("draft"));
      sessionStorage.removeItem("draft");
    }
    const notice = $(".notice");
    if (notice && notice.dataset.key !== noticed) {
      noticed = notice.dataset.key;
      setTimeout((key) => $(`.notice[data-key="${key}"]`)?.remove(), 12_000, noticed);
    }
    app.sources.settle();
    app.compare.settle();
    app.feedback.follow();
    if (unsent && $(".toast-body.error") && box() && !box().value) fill(unsent);
    decorate();
  }
  let planned = false;
  function plan() {
    if (!planned) requestAnimationFrame(settle);
    planned = true;
  }
  document.addEventListener("DOMContentLoaded", () => {
    document.body.toggleAttribute("data-empty", true);
    document.body.toggleAttribute("data-mac", /Mac|iPhone|iPad/.test(navigator.platform));
    const backdrop = document.createElement("div");
    backdrop.className = "backdrop";
    document.body.append(backdrop);
    fit();
    new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
  });
})();
