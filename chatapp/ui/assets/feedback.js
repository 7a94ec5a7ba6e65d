// The form under an answer that says what is wrong with it. It stays while the answer's line is
// drawn anew, and what was typed stays until it is sent.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const REASONS = ["wrong", "incomplete", "outdated", "not_from_documents", "tone", "other"];
  const LIMITS = { comment: 2000, better: 8000 };
  const text = (key, facts = {}) =>
    window.gradio_config.i18n_translations[app.locale][key].replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  let form = null; // there is one at a time
  let before = null; // what was said when it was sent

  const element = (tag, className, content = "") => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = content;
    return made;
  };
  function chips(chosen) {
    const group = element("fieldset", "");
    const list = element("div", "chips");
    group.append(element("legend", "", text("feedback_reason")), list);
    REASONS.forEach((reason) => {
      const chip = element("label", "reason");
      const radio = element("input", "");
      Object.assign(radio, { type: "radio", name: "reason", value: reason, checked: reason === chosen });
      chip.append(radio, element("span", "", text(`reason_${reason}`)));
      list.append(chip);
    });
    return group;
  }
  function area(name, rows, value) {
    const label = element("label", "");
    const box = element("textarea", "");
    Object.assign(box, { name, rows, value });
    label.append(element("span", "", text(`feedback_${name}`)), box);
    return label;
  }
  function make(turn) {
    const said = turn.remark ?? { reason: "", comment: "", better: "" };
    const made = element("form", "feedback");
    made.dataset.message = turn.id;
    const problem = element("p", "problem");
    problem.setAttribute("role", "alert");
    problem.hidden = true;
    const acts = element("div", "acts");
    const cancel = element("button", "plain", text("cancel"));
    const send = element("button", "solid", text("feedback_send"));
    cancel.type = "button";
    cancel.onclick = () => close(true);
    acts.append(cancel, send);
    made.append(chips(said.reason), area("comment", 2, said.comment), area("better", 3, said.better), problem, acts);
    made.onsubmit = (event) => { event.preventDefault(); submit(); };
    made.onkeydown = (event) => {
      if (event.key === "Escape" && !event.isComposing) { event.stopPropagation(); close(true); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
    };
    return made;
  }
  function complain(sentence) {
    const problem = $(".problem", form);
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }
  function submit() {
    const said = { reason: $(":checked", form)?.value ?? "", comment: form.comment.value, better: form.better.value };
    if (!said.reason && !said.comment.trim() && !said.better.trim()) {
      complain(text("feedback_nothing"));
      $("input", form).focus();
      return;
    }
    for (const [name, limit] of Object.entries(LIMITS)) {
      const { length } = [...said[name]];
      if (length <= limit) continue;
      const field = $(`[name=${name}]`, form);
      complain(text("feedback_too_long", { field: field.previousSibling.textContent, length, limit }));
      field.focus();
      return;
    }
    complain("");
    before = JSON.stringify(app.page.turn(form.dataset.message)?.remark ?? null);
    busy(true);
    app.page.send("feedback", { id: form.dataset.message, ...said });
  }
  function busy(sending) {
    const send = $("[type=submit], .solid", form);
    send.disabled = sending;
    send.textContent = text(sending ? "feedback_sending" : "feedback_send");
    if (!sending) before = null;
  }
  function close(focus = false) {
    const row = form?.closest(".message-row");
    form?.remove();
    form = before = null;
    if (focus) $('[data-do="dislike"], [data-do="feedback"]', row ?? document)?.focus();
  }

  app.feedback = {
    // 👎: the verdict counts at once; the form may say more about it.
    dislike(button, turn, row) {
      const { remark } = turn;
      if (remark?.reviewed) return;
      if (remark?.status === "open") { app.feedback.open(turn, row); return; }
      const taken = button.getAttribute("aria-pressed") === "true";
      app.page.send("like", { id: turn.id, verdict: "dislike" });
      if (taken) close();
      else app.feedback.open(turn, row);
    },
    open(turn, row) {
      if (form?.dataset.message === turn.id) { close(true); return; }
      close();
      form = make(turn);
      row.append(form);
      form.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      ($("input:checked", form) ?? $("input", form)).focus();
    },
    // The row may have been drawn anew, and what was sent may have arrived.
    follow() {
      if (!form) return;
      const turn = app.page.turn(form.dataset.message);
      if (!turn) { close(); return; }
      if (before !== null && JSON.stringify(turn.remark ?? null) !== before) { close(true); return; }
      const row = app.page.row(turn.id);
      if (row && form.parentElement !== row) row.append(form);
    },
    failed() { if (form) busy(false); },
    close,
  };
})();
