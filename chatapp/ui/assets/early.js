// Runs before Gradio: the reader's language, time zone and colour scheme have to be known by then.
(() => {
  const cookie = (name) =>
    document.cookie.split("; ").find((part) => part.startsWith(name + "="))?.split("=")[1];
  const keep = (name, value) => {
    // Inside a frame on another site, as on Hugging Face Spaces, only such cookies are kept.
    const site = location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
    document.cookie = `${name}=${encodeURIComponent(value)}; Max-Age=31536000; Path=/; ${site}`;
  };
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode */ } };

  const language = cookie("chatapp_language")
    ?? (navigator.language?.toLowerCase().startsWith("zh") ? "zh" : "en");
  const locale = language === "zh" ? "zh-CN" : "en";
  Object.defineProperty(navigator, "language", { get: () => locale });
  Object.defineProperty(navigator, "languages", { get: () => [locale] });
  document.documentElement.lang = locale;
  keep("chatapp_language", language);
  keep("chatapp_zone", Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (stored("chatapp_theme") ?? (prefersDark.matches ? "dark" : "light")) === "dark";
  const paint = () => {
    document.documentElement.classList.toggle("dark-page", dark());
    if (document.body && document.body.classList.contains("dark") !== dark()) {
      document.body.classList.toggle("dark", dark());
    }
  };
  paint();
  document.addEventListener("DOMContentLoaded", () => {
    // Gradio sets the class from the system's preference; the reader's own choice wins.
    new MutationObserver(paint).observe(document.body, { attributeFilter: ["class"] });
    paint();
  });
  prefersDark.addEventListener("change", paint);

  window.chatapp = {
    language,
    locale,
    setLanguage(value) { keep("chatapp_language", value); location.reload(); },
    toggleTheme() { store("chatapp_theme", dark() ? "light" : "dark"); paint(); },
  };
})();
