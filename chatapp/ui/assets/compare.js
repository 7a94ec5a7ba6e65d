// Staff only: which adapter answers in this tab, and two answers side by side.
(() => {
  const app = window.chatapp;
  const $ = (selector, root = document) => root.querySelector(selector);
  const text = (key, facts = {}) =>
    window.gradio_config.i18n_translations[app.locale][key].replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  const LIVE = "live";
  let wanted = new URLSearchParams(location.search).get("compare");
  let opener = null;

  // ---- who answers --------------------------------------------------------------------------
  const picker = () => $("select[data-adapter]");
  const chosen = () => sessionStorage.getItem("adapter") ?? LIVE;
  app.adapter = () => (picker() ? chosen() : LIVE);
  function pick(name) {
    sessionStorage.setItem("adapter", name);
    drawPicked();
  }
  function drawPicked() {
    const select = picker();
    const place = $("#answers-as");
    if (!select || !place) return;
    if (![...select.options].some((one) => one.value === chosen())) sessionStorage.setItem("adapter", LIVE);
    if (select.value !== chosen()) select.value = chosen();
    const name = chosen() === LIVE ? "" : select.selectedOptions[0].textContent;
    if (place.dataset.name === name) return;
    place.dataset.name = name;
    place.replaceChildren();
    if (!name) return;
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "answers-as";
    chip.dataset.do = "back-to-live";
    chip.title = text("back_to_live");
    chip.textContent = text("answers_as", { name });
    chip.append(Object.assign(document.createElement("span"), { textContent: "×", ariaHidden: "true" }));
    place.append(chip);
  }

  // ---- the comparison -----------------------------------------------------------------------
  const isOpen = () => document.body.hasAttribute("data-compare");
  const form = () => $("form[data-form=compare]");
  function running(yes) {
    document.body.toggleAttribute("data-comparing", yes);
    const stop = $('[data-do="stop-compare"]');
    if (stop) stop.hidden = !yes;
    const ask = $(".solid", form());
    if (ask) ask.disabled = yes;
  }
  // What was refused, with a toast that says why, is not on its way any more.
  function forget() {
    if (!document.body.hasAttribute("data-comparing") && $("#compare .side-head .pulse")) {
      document.body.removeAttribute("data-compared");
    }
  }
  function open(name) {
    opener = document.activeElement;
    app.page.closeOthers();
    app.sources.close();
    document.body.setAttribute("data-compare", "");
    // Only then: a page that opens with it gives the composer the focus first.
    requestAnimationFrame(() => ($("#compare-form [name=question]") ?? $("#compare-form a"))?.focus());
    if (!form()) return;
    const { first, second } = form().elements;
    if (name && [...second.options].some((one) => one.value === name)) {
      second.value = name;
      first.value = LIVE;
      if (first.selectedOptions[0].textContent.endsWith(name)) first.value = "base";
    }
  }
  function close() {
    if (!isOpen()) return false;
    app.page.send("compare_stop", {});
    document.body.removeAttribute("data-compare");
    opener?.focus?.();
    return true;
  }
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    const { first, second, blind, question } = event.target.elements;
    if (!question.value.trim() || document.body.hasAttribute("data-comparing")) return;
    document.body.setAttribute("data-compared", "");
    running(true);
    app.page.send("compare", {
      question: question.value, first: first.value, second: second.value, blind: blind.checked ? "yes" : "no",
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (event.target.name === "question" && event.target.form === form()) {
      event.preventDefault();
      form().requestSubmit();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target === picker()) pick(event.target.value);
  });

  const verdict = (button) => button.closest(".verdict").dataset.id;
  app.compare = {
    acts: {
      compare: () => open(),
      "close-compare": close,
      "stop-compare": () => app.page.send("compare_stop", {}),
      vote: (button) => {
        document.querySelectorAll(".verdict button").forEach((one) => { one.disabled = true; });
        app.page.send("vote", { id: verdict(button), choice: button.dataset.choice });
      },
      unvote: (button) => app.page.send("unvote", { id: verdict(button) }),
      "back-to-live": () => pick(LIVE),
    },
    ended() { running(false); forget(); },
    close,
    settle() {
      drawPicked();
      forget();
      if (wanted !== null && $("#compare-form :is(form, .compare-none)")) { const name = wanted; wanted = null; open(name); }
    },
  };
})();
