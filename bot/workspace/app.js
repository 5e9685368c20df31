// The page works without this script. With it, forms are sent in the background, the page follows what others do, and
// what somebody is typing stays.
"use strict";
(() => {
  const parts = ["side", "head", "stream", "overlay"];
  let busy = 0, again = false;

  const atEnd = (el) => el.scrollHeight - el.scrollTop - el.clientHeight < 120;
  const toEnd = () => { const s = document.getElementById("stream"); if (s) s.scrollTop = s.scrollHeight; };

  // remember what a swap must not lose: open details, focus, and the fields of an open form.
  const keep = () => {
    const el = document.activeElement;
    return {
      focus: el && el !== document.body ? selector(el) : null,
      range: el && "selectionStart" in el ? [el.selectionStart, el.selectionEnd] : null,
      shut: [...document.querySelectorAll("details[data-thread]:not([open])")].map((d) => d.dataset.thread),
      who: document.querySelector("#who")?.open,
      own: [...document.querySelectorAll("details.own[open]")].map((d) => [d.closest("article").dataset.message, d.querySelector("textarea").value]),
    };
  };
  const selector = (el) => {
    if (el.id) return "#" + CSS.escape(el.id);
    if (el.dataset.do) {
      const a = el.closest("article");
      return (a ? `[data-message="${CSS.escape(a.dataset.message)}"] ` : "") + `[data-do="${CSS.escape(el.dataset.do)}"][data-arg="${CSS.escape(el.dataset.arg || "")}"]`;
    }
    if (el.dataset.place) return `[data-place="${CSS.escape(el.dataset.place)}"]`;
    if (el.dataset.control) return `[data-control="${CSS.escape(el.dataset.control)}"]`;
    if (el.name && el.type !== "hidden" && el.closest("#form")) return `#form [name="${CSS.escape(el.name)}"]` + (el.value && el.type !== "textarea" && el.type !== "text" ? `[value="${CSS.escape(el.value)}"]` : "");
    return null;
  };

  const swap = (html, { sameForm }) => {
    const next = new DOMParser().parseFromString(html, "text/html");
    const k = keep();
    const stream = document.getElementById("stream");
    const end = stream && atEnd(stream);
    const hadForm = document.querySelector("dialog#form");
    for (const id of parts) {
      const old = document.getElementById(id), now = next.getElementById(id);
      if (!old || !now) continue;
      // an open form is left alone while its person fills it in
      if (id === "overlay" && sameForm && hadForm && now.querySelector("dialog#form")) continue;
      if (old.innerHTML !== now.innerHTML) old.replaceChildren(...now.childNodes);
    }
    const failedOld = document.getElementById("failed"), failed = next.getElementById("failed");
    failedOld?.remove();
    if (failed) document.getElementById("head").after(failed);
    document.title = next.title;
    document.documentElement.lang = next.documentElement.lang;
    for (const id of k.shut) document.querySelector(`details[data-thread="${CSS.escape(id)}"]`)?.removeAttribute("open");
    for (const [id, text] of k.own) {
      const d = document.querySelector(`[data-message="${CSS.escape(id)}"] details.own`);
      if (d) { d.open = true; d.querySelector("textarea").value = text; }
    }
    if (k.who && sameForm) document.querySelector("#who")?.setAttribute("open", "");
    if (end) toEnd();
    dialog(!hadForm);
    if (!document.querySelector("dialog#form") && k.focus && (document.activeElement === document.body || !document.activeElement)) {
      const el = document.querySelector(k.focus);
      if (el) { el.focus({ preventScroll: true }); if (k.range && k.range[0] !== null && el.setSelectionRange) try { el.setSelectionRange(...k.range); } catch {} }
    }
  };

  // dialog makes an open form modal, and puts the focus where the work is.
  const dialog = (fresh) => {
    const d = document.querySelector("dialog#form");
    if (!d || d.matches(":modal")) return;
    d.removeAttribute("open");
    d.showModal();
    const wrong = d.querySelector("[role=alert]");
    (wrong?.closest(".field")?.querySelector("input,textarea") || d.querySelector("textarea, input:not([type=hidden]), [autofocus]"))?.focus();
    if (wrong) wrong.scrollIntoView({ block: "center" });
    d.addEventListener("cancel", (e) => { e.preventDefault(); d.querySelector("[data-close]").click(); });
  };

  const load = async () => {
    if (busy) { again = true; return; }
    busy++;
    try {
      const r = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      if (r.ok && new URL(r.url).pathname === location.pathname) swap(await r.text(), { sameForm: true });
    } catch {} finally { busy--; if (again) { again = false; load(); } }
  };

  const send = async (form, button) => {
    const data = new URLSearchParams(new FormData(form));
    if (button?.name) data.set(button.name, button.value);
    const composer = form.id === "composer";
    const text = composer ? form.querySelector("textarea") : null;
    busy++;
    form.setAttribute("aria-busy", "true");
    try {
      const r = await fetch(form.getAttribute("action"), { method: "POST", body: data });
      const path = new URL(r.url).pathname;
      const html = await r.text();
      if (r.ok && path !== location.pathname) { location.assign(path); return; }
      if (r.ok && form.getAttribute("action") === "/act") { location.reload(); return; }
      if (r.ok && form.getAttribute("action") === "/lang") { location.reload(); return; }
      if (composer && r.ok) text.value = "";
      swap(html, { sameForm: false });
      if (composer) { text.focus(); toEnd(); }
    } catch {
      form.submit(); // the network said no; let the browser say so
    } finally { busy--; form.removeAttribute("aria-busy"); if (again) { again = false; load(); } }
  };

  document.addEventListener("submit", (e) => {
    if (e.target.method !== "post") return;
    e.preventDefault();
    send(e.target, e.submitter);
  });
  document.addEventListener("keydown", (e) => {
    if (e.target.id === "text" && e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      if (e.target.value.trim()) e.target.form.requestSubmit();
    }
  });

  const follow = () => {
    const events = new EventSource("/events");
    let first = true;
    events.addEventListener("hello", () => { if (!first) load(); first = false; });
    events.addEventListener("changed", load);
  };
  dialog(true);
  toEnd();
  follow();
})();
