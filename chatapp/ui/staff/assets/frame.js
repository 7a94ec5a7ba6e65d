// What every staff page shares: its texts, the top bar's switches, notices with their undo, and
// the one place where clicks become acts. A page adds its own acts and says what to do once drawn.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  let trigger = () => {};
  let noticed = "";
  const settling = [];

  app.text = (key, facts = {}) =>
    window.gradio_config.i18n_translations[app.locale][key].replace(/\{(\w+)(?::,)?\}/g, (_, name) => facts[name]);
  app.connect = (send) => { trigger = send; };
  app.ask = (event, data = {}) => trigger(event, data);
  app.whenDrawn = (settle) => settling.push(settle);
  app.acts = {
    theme: () => app.toggleTheme(),
    undo: (button) => {
      trigger(button.dataset.event, { ids: JSON.parse(button.dataset.ids) });
      button.closest(".notice").remove();
    },
    dismiss: (button) => button.closest(".notice").remove(),
  };

  // A sign-in that has run out answers 401 to everything: the way back in is a reload.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const answer = await fetched(...request);
    if (answer.status === 401 && new URL(answer.url).origin === location.origin) location.reload();
    return answer;
  };

  // How much feedback waits to be reviewed, beside the page's name.
  let waiting = 0;
  app.countWaiting = async () => {
    const answer = await fetch("/review/waiting").catch(() => null);
    if (!answer?.ok) return;
    waiting = (await answer.json()).waiting;
    drawWaiting();
  };
  function drawWaiting() {
    $$("[data-waiting]").forEach((badge) => {
      if (badge.textContent === String(waiting || "")) return;
      badge.textContent = waiting || "";
      badge.hidden = !waiting;
      badge.title = waiting ? app.text("waiting_feedback", { n: waiting }) : "";
    });
  }

  document.addEventListener("click", (event) => {
    const language = event.target.closest("[data-language]");
    if (language) { app.setLanguage(language.dataset.language); return; }
    $$("details.menu[open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
    const button = event.target.closest("[data-do]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!(button.dataset.do in app.acts)) return;
    event.preventDefault();
    app.acts[button.dataset.do](button);
  });

  // ---- after every change of the page -------------------------------------------------------
  function settle() {
    planned = false;
    $$("[data-language]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.language === app.language)));
    $$("[data-text]:empty").forEach((one) => { one.textContent = app.text(one.dataset.text); });
    $$("[data-label]:not([aria-label])").forEach((one) => {
      one.title = app.text(one.dataset.label);
      one.setAttribute("aria-label", one.title);
    });
    drawWaiting();
    settling.forEach((then) => then());
    const notice = $(".notice");
    if (notice && notice.dataset.key !== noticed) {
      noticed = notice.dataset.key;
      setTimeout((key) => $(`.notice[data-key="${key}"]`)?.remove(), 12_000, noticed);
    }
  }
  let planned = false;
  function plan() {
    if (!planned) requestAnimationFrame(settle);
    planned = true;
  }
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
    app.countWaiting();
  });
})();
