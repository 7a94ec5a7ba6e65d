// The panel beside the conversation: what an answer leaned on, and why it is as it is. Its content
// is fetched when it opens, and again when the answer has come further.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let shown = null; // { id, key, number, from, entered } of the answer whose panel is open

  const sheet = () => $("#sheet .sheet");
  const ready = () => sheet()?.dataset.id === shown.id;

  function open(turn, { view: name = "sources", number = null, from }) {
    if (!turn?.sheet) return;
    const again = shown?.id === turn.id;
    shown = { id: turn.id, key: turn.sheet, number, from, entered: false };
    if (!again) app.page.closeOthers();
    document.body.dataset.sources = "open";
    if (app.page.phone.matches) $("#main").inert = true;
    view(name);
    if (sheet()?.dataset.id !== shown.id || sheet().dataset.key !== shown.key) app.page.ask(shown.id);
    settle();
  }

  function close() {
    if (!shown) return false;
    const { id, from } = shown;
    shown = null;
    document.body.dataset.sources = "closed";
    delete document.body.dataset.sheet;
    $("#main").inert = false;
    // What opened it may have been drawn anew meanwhile.
    const opener = from?.isConnected ? from : $('[data-do="sources"], [data-do="why"]', app.page.foot(id) ?? document);
    opener?.focus({ preventScroll: true });
    return true;
  }

  function view(name) {
    if (document.body.dataset.view !== name) $("#sheet").scrollTop = 0;
    document.body.dataset.view = name;
    document.querySelectorAll('#sources [role="tab"]').forEach((tab) => {
      const chosen = tab.dataset.view === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    });
  }

  // The answer may have come further, or have gone from the page.
  function follow() {
    if (!shown) return;
    const turn = app.page.turn(shown.id);
    if (!turn?.sheet) { close(); return; }
    if (turn.sheet === shown.key) return;
    shown.key = turn.sheet;
    app.page.ask(shown.id);
  }

  // Something on the page was drawn anew.
  function settle() {
    if (!shown) return;
    document.body.dataset.sheet = ready() ? "ready" : "loading";
    if (!ready() || shown.entered) return;
    shown.entered = true;
    const { number } = shown;
    const wanted = number && $(`[data-number="${CSS.escape(number)}"]`, sheet());
    document.querySelectorAll("#sheet .here").forEach((source) => source.classList.remove("here"));
    if (!wanted) { $('#sources [aria-selected="true"]').focus({ preventScroll: true }); return; }
    const folded = wanted.closest("details");
    if (folded) folded.open = true;
    wanted.classList.add("here");
    wanted.focus({ preventScroll: true });
    wanted.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
  }

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches('#sources [role="tab"]') || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = $('#sources [role="tab"][aria-selected="false"]');
    view(other.dataset.view);
    other.focus();
  });

  app.sources = { open, close, view, follow, settle };
  app.closeSources = close;
})();
