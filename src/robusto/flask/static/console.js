// Keeps the console up to date. Every word comes from the server; without this script a reload does it all.
(() => {
  "use strict";
  const PAUSE = 3000;
  const PATIENCE = 8000;
  const late = document.getElementById("atraso");
  const announcer = document.getElementById("anuncio");
  const form = document.getElementById("processar");
  let source = region("veredito").dataset.source;
  let lastAt = region("veredito").dataset.at;
  let timer = 0;
  let asking = false;

  function region(id) {
    return document.getElementById(id);
  }

  function code() {
    return region("veredito").querySelector("[data-code]").dataset.code;
  }

  // A status message is announced when its text changes, and is not repeated.
  function tell(element, text, look) {
    if (element.textContent !== text) element.textContent = text;
    if (look !== undefined) element.className = text ? look : "";
  }

  // Only what changed is replaced, and whoever stands on a link in it stays there.
  function show(incoming) {
    const before = code();
    for (const fresh of incoming.querySelectorAll("[data-live]")) {
      const old = region(fresh.id);
      if (!old || old.innerHTML === fresh.innerHTML) continue;
      const standing = old.contains(document.activeElement) ? document.activeElement : null;
      const key = standing && (standing.id ? "#" + standing.id : standing.getAttribute("href"));
      old.replaceChildren(...fresh.childNodes);
      if (key) {
        const again = key[0] === "#" ? region(key.slice(1)) : find(old, key);
        if (again) again.focus({ preventScroll: true });
      }
    }
    const verdict = incoming.querySelector("#veredito");
    lastAt = verdict.dataset.at;
    if (verdict.dataset.title) document.title = verdict.dataset.title;
    if (code() !== before) tell(announcer, region("veredito").querySelector("[data-headline]").textContent);
  }

  function find(root, href) {
    return Array.from(root.querySelectorAll("a")).find((link) => link.getAttribute("href") === href);
  }

  function stale(words) {
    tell(late, words.replace("{at}", lastAt), "notice red");
  }

  function parsed(html) {
    return new DOMParser().parseFromString(html, "text/html");
  }

  async function request(url, options) {
    const control = new AbortController();
    const alarm = setTimeout(() => control.abort(), PATIENCE);
    try {
      const answer = await fetch(url, { credentials: "same-origin", signal: control.signal, ...options });
      return { ok: answer.ok, status: answer.status, url: answer.url, text: await answer.text() };
    } finally {
      clearTimeout(alarm);
    }
  }

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await request(source, { redirect: "error", cache: "no-store" });
      if (answer.ok) {
        show(parsed(answer.text));
        if (late.textContent) {
          tell(late, "", "");
          tell(announcer, late.dataset.back);
        }
      } else {
        stale(answer.status === 401 || answer.status === 403 ? late.dataset.out : late.dataset.stale);
      }
    } catch {
      stale(late.dataset.stale);
    } finally {
      asking = false;
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(refresh, PAUSE);
    }
  }

  // The same form, sent without leaving the page: the answer is the page with the result in it.
  async function process(event) {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled") === "true") return;
    const words = button.textContent;
    button.setAttribute("aria-disabled", "true");
    button.textContent = form.dataset.busy;
    tell(announcer, form.dataset.busy);
    try {
      const token = document.querySelector('meta[name="csrf-token"]');
      const answer = await request(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: token ? { "X-CSRFToken": token.content } : {},
      });
      const page = answer.ok ? parsed(answer.text) : null;
      if (!page || !page.getElementById("resultado")) throw new Error("no result");
      source = page.getElementById("veredito").dataset.source;
      show(page);
      const here = new URL(answer.url);
      history.replaceState(null, "", here.pathname + here.search); // a reload shows the result again
      tell(announcer, region("resultado").querySelector("[data-said]").textContent);
    } catch {
      tell(announcer, "");
      tell(late, form.dataset.failed, "notice red");
    } finally {
      button.textContent = words;
      button.removeAttribute("aria-disabled");
    }
  }

  if (form) form.addEventListener("submit", process);
  document.addEventListener("visibilitychange", refresh);
  window.addEventListener("pageshow", (event) => event.persisted && refresh());
  timer = setTimeout(refresh, PAUSE);
})();
