// The Teach page's own behaviour. The server decides and renders; this turns clicks and forms into
// events, folds the steps, says what is being waited for, and asks how far a run has come.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const STEPS = ["data", "goal", "run", "result"];
  const SILENT = ["watch", "estimating", "refresh"];
  const PATIENCE = 15_000; // milliseconds without an answer after which the server is looked for

  // ---- asking, and saying what is waited for ------------------------------------------------
  const waiting = new Map();
  const ask = app.ask;
  app.ask = (event, data = {}) => {
    waiting.set(event, performance.now());
    if (!SILENT.includes(event)) setTimeout(sayBusy, 300);
    ask(event, data);
  };
  app.over = (event) => {
    waiting.delete(event);
    sayBusy();
    $$("[data-pressed]").forEach((button) => { button.disabled = false; button.removeAttribute("data-pressed"); });
    if (event === "again") confirmed = dataset();
    if (event === "estimate") $("#estimate").removeAttribute("data-stale");
    if (event === "cell") $("#cell .cell")?.focus({ preventScroll: true });
    if (event === "gate" && $("#gate .gate")) { // asked for in the history, its step may be folded
      open.add("result");
      drawSteps();
      reveal("#gate .gate");
    }
    if (event === "compare") reveal("#comparison .comparison");
    settle();
  };
  function sayBusy() {
    const event = [...waiting.keys()].find((one) => !SILENT.includes(one));
    const bar = $("#busy");
    bar.hidden = !event;
    if (!event) return;
    const texts = window.gradio_config.i18n_translations[app.locale];
    bar.textContent = texts[`busy_${event}`] ?? app.text("working");
  }
  function reveal(selector) {
    const shown = $(selector);
    if (!shown) return;
    shown.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    shown.focus?.({ preventScroll: true });
  }
  function press(button) {
    button.disabled = true;
    button.dataset.pressed = "";
  }

  // ---- what is shown ------------------------------------------------------------------------
  const dataset = () => $("#source [data-dataset]")?.dataset.dataset ?? $("#run [data-dataset]")?.dataset.dataset ?? "";
  const run = () => $("#run [data-run]")?.dataset.run ?? "";
  const task = () => $('#goal input[name="task"]:checked')?.value ?? $("#checks [data-task]")?.dataset.task ?? "";
  app.dataset = dataset;
  app.wanted = () => {
    waiting.set("arrive", performance.now());
    setTimeout(sayBusy, 300);
    return JSON.stringify(Object.fromEntries(new URLSearchParams(location.search)));
  };
  let arrived = false;
  function remember() {
    if (!$("#source .source") && !run()) return;
    arrived = true;
    const url = new URL(location.href);
    ["data", "run", "corrections"].forEach((name) => url.searchParams.delete(name));
    const here = $("#source [data-dataset]")?.dataset.dataset;
    if (run()) url.searchParams.set("run", run());
    else if (here) url.searchParams.set("data", here);
    if (url.href !== location.href) history.replaceState(null, "", url);
  }

  // ---- steps --------------------------------------------------------------------------------
  let confirmed = "";
  let stood = "";
  const open = new Set();
  function stage() {
    if (run()) return $("#verdict [data-run]") ? "result" : "run";
    const here = dataset();
    return here && confirmed === here && $("#goal form") ? "goal" : "data";
  }
  function drawSteps() {
    const now = stage();
    const place = `${now}|${run() || dataset()}`;
    const moved = stood && stood.split("|")[0] !== now;
    if (place !== stood) {
      open.clear();
      open.add(now);
      stood = place;
    }
    const summaries = {
      data: $("#checks [data-summary]")?.dataset.summary || $("#source [data-summary]")?.dataset.summary,
      goal: $("#goal [data-summary]")?.dataset.summary,
      run: $("#run [data-summary]")?.dataset.summary,
      result: $("#verdict [data-summary]")?.dataset.summary,
    };
    STEPS.forEach((name, index) => {
      const step = $(`#step-${name}`);
      if (!step) return;
      step.dataset.state = index < STEPS.indexOf(now) ? "done" : name === now ? "now" : "later";
      if (name === "result" && now === "result") step.dataset.state = "done";
      step.toggleAttribute("data-open", open.has(name));
      const button = $(".step-head button", step);
      button?.setAttribute("aria-expanded", String(open.has(name)));
      const summary = $(".summary", step);
      const told = step.dataset.state === "later" ? "" : summaries[name] ?? "";
      if (summary && summary.textContent !== told) summary.textContent = told;
    });
    if (moved && arrived) $(`#step-${now}`)?.scrollIntoView({ block: "start" });
  }

  // ---- what was unfolded stays so, though the server draws it anew ----------------------------
  const kept = new Map();
  document.addEventListener("toggle", (event) => {
    const key = event.target.dataset?.keep;
    if (key && event.target.isConnected) kept.set(key, event.target.open);
  }, true);
  let focused = "";
  document.addEventListener("focusin", (event) => {
    const one = event.target;
    const folded = one.closest("summary")?.parentElement.dataset.keep;
    const root = one.closest("#source, #checks, #goal, #run, #history")?.id;
    if (!root) focused = "";
    else if (folded) focused = `#${root} details[data-keep="${CSS.escape(folded)}"] > summary`;
    else if (one.name) focused = `#${root} [name="${one.name}"]${one.type === "radio" ? `[value="${one.value}"]` : ""}`;
    else focused = naming(one) && `#${root} ${naming(one)}`;
  });
  const naming = (one) => ["do", "what", "name", "slot", "role", "fix"].filter((name) => one.dataset[name])
    .map((name) => `[data-${name}="${CSS.escape(one.dataset[name])}"]`).join("");
  function restore() {
    $$("details[data-keep]").forEach((one) => {
      const wanted = kept.get(one.dataset.keep);
      if (wanted !== undefined && one.open !== wanted) one.open = wanted;
    });
    if (focused && document.activeElement === document.body) $(focused)?.focus({ preventScroll: true });
  }

  // ---- comparing ----------------------------------------------------------------------------
  const picked = new Set();
  function drawPicked() {
    $$("#history [data-compare]").forEach((box) => { box.checked = picked.has(box.closest("li").dataset.run); });
    const button = $('#history [data-do="compare"]');
    if (!button) return;
    button.hidden = picked.size < 2;
    const told = app.text("compare_runs", { n: picked.size });
    if (button.textContent !== told) button.textContent = told;
  }

  // ---- the form of step 2 -------------------------------------------------------------------
  function settings(form) {
    const values = {};
    [...form.elements].forEach((field) => {
      if (!field.name || (field.type === "radio" && !field.checked)) return;
      values[field.name] = field.type === "checkbox" ? String(field.checked) : field.value;
    });
    return values;
  }
  async function download(form) {
    const answer = await fetch("/teach/files/config.yaml", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(Object.fromEntries(Object.entries(settings(form)).filter(([, value]) => value !== ""))),
    });
    if (!answer.ok) { app.tell((await answer.json()).error.message); return; }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `${form.elements.name.value}.yaml`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  const ways = {
    launch: (form) => app.ask("launch", { data: dataset(), settings: settings(form) }),
    estimate: (form) => app.ask("estimate", { data: dataset(), settings: settings(form) }),
    command: (form) => app.ask("command", { data: dataset(), settings: settings(form) }),
  };
  const submits = {
    goal(form, button) {
      press(button);
      ways[button.dataset.way](form);
    },
    paste(form) {
      app.ask("paste", { name: form.elements.name.value, text: form.elements.text.value });
      form.hidden = true;
    },
    promote(form) {
      app.ask("promote", { name: form.dataset.name, reason: form.elements.reason?.value ?? "", run: run() });
    },
    mapping() {},
  };
  document.addEventListener("submit", (event) => {
    const submit = submits[event.target.dataset.form];
    if (!submit) return;
    event.preventDefault();
    submit(event.target, event.submitter ?? $("[type=submit]", event.target));
  });
  let taskBefore = "";
  const changes = {
    goal(form, field) {
      $("#estimate").dataset.stale = "";
      if (field.name === "task" || field.name === "preset") {
        const { name, purpose, base } = settings(form);
        const chosen = task();
        app.ask("goal", {
          data: dataset(), task: chosen, preset: settings(form).preset, name, purpose,
          base: chosen === taskBefore ? base : "", before: taskBefore || chosen,
        });
      } else if (field.matches("[data-base]")) {
        const own = form.elements.base;
        own.hidden = field.value !== "";
        own.value = field.value;
        if (!own.hidden) own.focus();
      } else if (field.matches("[data-reuse]") && field.value) {
        app.ask("reuse", { data: dataset(), run: field.value, name: form.elements.name.value });
      }
    },
    mapping(form, field) {
      const columns = field.name === "format" ? {} : Object.fromEntries($$("[data-role]", form).map((one) => [one.dataset.role, one.value]));
      app.ask("map_columns", { data: dataset(), format: form.elements.format.value, columns });
    },
  };
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("[data-compare]")) {
      const id = field.closest("li").dataset.run;
      field.checked ? picked.add(id) : picked.delete(id);
      drawPicked();
    } else if (field.matches("[data-relabel]")) {
      const { row, before } = field.dataset;
      app.ask("relabel", { data: dataset(), row: Number(row), label: field.value, before });
      field.dataset.before = field.value;
    } else if (field.id === "pick-settings") {
      field.files[0].text().then((text) => app.ask("read_settings", { data: dataset(), text }));
    } else changes[field.closest("form")?.dataset.form]?.(field.closest("form"), field);
  });

  let behind = null;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && $("#cell .cell")) app.acts["close-cell"]();
  });

  // ---- clicks -------------------------------------------------------------------------------
  const adapter = (button) => ({ name: button.dataset.name, run: run() });
  Object.assign(app.acts, {
    fold: (button) => {
      const { step } = button.dataset;
      open.has(step) ? open.delete(step) : open.add(step);
      drawSteps();
    },
    new: () => { confirmed = ""; app.ask("new"); },
    "open-data": (button) => { confirmed = ""; app.ask("open_data", { data: button.dataset.id ?? button.closest("[data-id]").dataset.id }); },
    "remove-data": (button) => app.ask("remove_data", { data: button.dataset.id ?? button.closest("[data-id]").dataset.id }),
    "paste-rows": () => { const form = $('[data-form="paste"]'); form.hidden = !form.hidden; if (!form.hidden) form.elements.text.focus(); },
    "close-paste": (button) => { button.closest("form").hidden = true; },
    corrections: (button) => { press(button); app.ask("corrections"); },
    fix: (button) => { press(button); app.ask("fix", { data: dataset(), fix: button.dataset.fix, task: task() }); },
    unfix: (button) => { press(button); app.ask("unfix", { ids: [dataset(), button.dataset.fix], task: task() }); },
    "to-goal": () => { confirmed = dataset(); drawSteps(); },
    again: (button) => { press(button); app.ask("again", { run: run() }); },
    rephrased: (button) => { press(button); app.ask("rephrased", { data: dataset() }); },
    "download-settings": (button) => download(button.closest("form")),
    "pick-settings": () => $("#pick-settings").click(),
    copy: async (button) => {
      await navigator.clipboard.writeText($("pre", button.parentElement).textContent).catch(() => {});
      const label = $("span", button);
      const before = label.textContent;
      label.textContent = button.dataset.copied;
      setTimeout(() => { label.textContent = before; }, 2000);
    },
    stop: (button) => { kept.delete("stop"); app.ask("stop", { run: run(), what: button.dataset.what }); },
    resume: (button) => { press(button); app.ask("resume", { run: run() }); },
    "discard-run": () => app.ask("discard", { run: run() }),
    "open-run": (link) => app.ask("open_run", { run: link.dataset.run ?? link.closest("[data-run]").dataset.run }),
    compare: () => app.ask("compare", { ids: [...picked] }),
    "close-comparison": () => { picked.clear(); app.ask("compare", { ids: [] }); drawPicked(); },
    cell: (button) => { behind = button; app.ask("cell", { run: run(), true: button.dataset.true, said: button.dataset.said }); },
    "close-cell": () => { $("#cell .cell")?.remove(); behind?.focus(); },
    gate: (button) => { press(button); app.ask("gate", adapter(button)); },
    "close-gate": () => $("#gate .gate")?.remove(),
    rollback: (button) => { press(button); app.ask("rollback", { slot: button.dataset.slot, run: run() }); },
    "remove-adapter": (button) => app.ask("remove_adapter", adapter(button)),
    undo: (button) => {
      const ids = JSON.parse(button.dataset.ids);
      app.ask(button.dataset.event, { ids, run: run(), task: task() });
      if (button.dataset.event === "relabel_back") {
        $$(`[data-relabel][data-row="${ids[1]}"]`).forEach((one) => { one.value = one.dataset.before = ids[2]; });
      }
      button.closest(".notice").remove();
    },
  });

  // ---- what each preset was estimated to take -----------------------------------------------
  const took = new Map();
  function drawTook() {
    const told = $("#estimate [data-took]");
    if (told && !("stale" in $("#estimate").dataset)) took.set(`${dataset()}|${task()}|${told.dataset.preset}`, told.dataset.took);
    $$("#goal .took").forEach((place) => {
      const input = $("input", place.closest("label"));
      const known = input.name === "preset" ? took.get(`${dataset()}|${task()}|${input.value}`) ?? "" : "";
      if (place.textContent !== known) place.textContent = known;
    });
  }

  // ---- asking how far it is -----------------------------------------------------------------
  let watching = 0;
  let trying = 0;
  const again = (selector) => Math.min(...$$(selector).map((one) => Number(one.dataset.again)).filter(Boolean));
  function poll() {
    const wait = again("#run [data-again], #history [data-again], #verdict [data-again]");
    if (!watching && Number.isFinite(wait) && !waiting.has("watch")) watching = setTimeout(watch, wait);
    const soon = again("#estimate [data-again]");
    if (!trying && Number.isFinite(soon) && !waiting.has("estimating")) {
      trying = setTimeout(() => { trying = 0; if (seen()) app.ask("estimating", { data: dataset() }); else poll(); }, soon);
    }
  }
  const seen = () => document.visibilityState === "visible";
  function watch() {
    watching = 0;
    if (!seen()) { poll(); return; }
    const verdict = $("#verdict [data-run]");
    app.ask("watch", { run: run(), result: !verdict || Number(verdict.dataset.again) ? "yes" : "" });
  }
  // A restarted server has forgotten this page's connection, but not the run.
  setInterval(async () => {
    const oldest = Math.min(...waiting.values());
    if (!(performance.now() - oldest > PATIENCE) || [...waiting.keys()].some((one) => !SILENT.includes(one))) return;
    const answer = await fetch("/teach/", { method: "GET", headers: { accept: "text/html" } }).catch(() => null);
    if (answer?.ok) location.reload();
    else { $("#busy").textContent = app.text("server_away"); $("#busy").hidden = false; }
  }, 5000);

  // ---- after every change of the page -------------------------------------------------------
  function settle() {
    if (!$("#step-data")) return;
    restore();
    remember();
    taskBefore = task() || taskBefore;
    drawSteps();
    drawPicked();
    drawTook();
    poll();
  }
  app.whenDrawn(settle);
  document.addEventListener("DOMContentLoaded", () => {
    const busy = document.createElement("div");
    busy.id = "busy";
    busy.hidden = true;
    busy.setAttribute("role", "status");
    document.body.append(busy);
  });
})();
