// Colour scheme as the reader chose it in the app; then to the place the address names.
(() => {
  const stored = (() => { try { return localStorage.getItem("chatapp_theme"); } catch { return null; } })();
  if (stored) document.documentElement.dataset.theme = stored;
  document.addEventListener("DOMContentLoaded", () => {
    const page = /[#&]page=(\d+)/.exec(location.hash)?.[1];
    const original = document.querySelector("[data-original]");
    if (original && page) original.data = original.data.replace(/#.*$/, "") + "#page=" + page;
    const place = document.getElementById("passage") ?? (page && document.getElementById("page-" + page));
    if (place) place.scrollIntoView({ block: "center" });
    document.querySelector("[data-focus]")?.focus();
    document.querySelectorAll("[data-language]").forEach((button) => {
      button.onclick = () => {
        document.cookie = `chatapp_language=${button.dataset.language}; Max-Age=31536000; Path=/; ` +
          (location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax");
        location.reload();
      };
    });
  });
})();
