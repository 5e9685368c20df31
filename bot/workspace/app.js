// The page works without this script. With it, forms are sent in the background, the page follows what others do, and
// what somebody is typing stays.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const stream = $("#stream");
  const narrow = matchMedia("(max-width: 1080px)"); // where the demo's panel lies over the channel
  const parse = (html) => new DOMParser().parseFromString(html, "text/html");

  // ---- what changed, and nothing else

  // keyOf tells what is the same before and after. The attribute, since the id of a form may be a field of that name.
  const keyOf = (n) => n.nodeType === 1 ? n.dataset.message || n.dataset.note || n.dataset.day || n.dataset.thread && "thread" || n.getAttribute("id") : "";

  // twinOf finds the node that stands for next among old nodes without a key, from at on.
  const twinOf = (at, next) => {
    for (let n = at; n; n = n.nextSibling) {
      if (!keyOf(n) && n.nodeName === next.nodeName && (n === at || n.nodeType === 1 && n.className === next.className)) return n;
    }
  };

  // patch makes old look like now and leaves what is the same alone: a screen reader says only what is new, and focus,
  // caret, scrolled places and unfolded parts stay where they are.
  const patch = (old, now) => {
    if (old.isEqualNode(now)) return;
    if (old.nodeType !== 1) { old.data = now.data; return; }
    const folds = old.nodeName === "DETAILS"; // people unfold, the server does not
    for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && !(folds && name === "open")) old.removeAttribute(name);
    for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value && !(folds && name === "open")) old.setAttribute(name, value);
    const had = new Map([...old.children].map((c) => [keyOf(c), c]));
    const wanted = new Set([...now.children].map(keyOf).filter(Boolean));
    let at = old.firstChild;
    const drop = () => { const gone = at; at = at.nextSibling; gone.remove(); };
    for (const next of [...now.childNodes]) {
      const key = keyOf(next);
      const twin = key ? had.get(key) : twinOf(at, next);
      if (!twin) { old.insertBefore(next, at); continue; }
      while (at && at !== twin && !wanted.has(keyOf(at))) drop();
      if (at !== twin) old.insertBefore(twin, at);
      patch(twin, next);
      at = twin.nextSibling;
    }
    while (at) drop();
  };

  // ---- where one reads

  const atEnd = () => stream.scrollHeight - stream.scrollTop - stream.clientHeight < 120 || stream.scrollTop === held;
  const toEnd = () => { stream.scrollTop = stream.scrollHeight; };
  const items = () => [...stream.querySelectorAll(":scope > article, .note")];
  let anchor = null, held = -1; // the first thing that came since this person last did something, and where it put the page

  // follow goes to the end, but no further than the beginning of what is new: a long give-back is read from its top.
  const follow = () => {
    if (!anchor?.isConnected) { toEnd(); held = -1; return; }
    stream.scrollTop += anchor.getBoundingClientRect().top - stream.getBoundingClientRect().top - 12; // as far as it goes
    held = stream.scrollTop;
  };
  const person = (page) => page.querySelector("#composer [name=as]").value;

  // show brings a page from the server on the screen. own: it answers what this person just did here; otherwise it tells
  // what happened elsewhere, and then no form opens or closes, no failure text goes, and the focus stays. forms: it says
  // which form is open.
  const show = (next, own, forms) => {
    if (!own && person(next) !== person(document)) return; // another window became somebody else; this one is still theirs
    const end = atEnd(), failed = $("#failed"), had = new Set(items().map(keyOf));
    if (!own && failed && !next.getElementById("failed")) next.getElementById("composer").before(failed.cloneNode(true));
    document.title = next.title;
    document.documentElement.lang = next.documentElement.lang;
    document.body.dataset.unreached = next.body.dataset.unreached;
    patch($("#app"), next.getElementById("app"));
    anchor ??= items().find((n) => !had.has(keyOf(n))) ?? null;
    if (end) follow();
    if (forms) overlay(next.querySelector("dialog#form"));
  };

  // ---- forms

  let opener = null; // what the open form was opened with

  const overlay = (dialog) => {
    if (!dialog) { close(); return; }
    $("#overlay").replaceChildren(dialog);
    modal();
  };

  // modal puts the focus where the work is: at what must be read first, at the first mistake, or at the first field.
  const modal = () => {
    const d = $("dialog#form");
    if (!d) return;
    d.removeAttribute("open");
    d.showModal();
    const notice = d.querySelector("#notice");
    if (notice) { notice.focus(); notice.scrollIntoView({ block: "nearest" }); }
    const wrong = !notice && d.querySelector(".field [role=alert]")?.closest(".field");
    if (!notice) (wrong || d).querySelector("textarea, input:not([type=hidden]), [autofocus]")?.focus();
    (wrong || d.querySelector("#e-form"))?.scrollIntoView({ block: "nearest" });
    d.addEventListener("close", () => { if (d.isConnected) d.querySelector("[data-close]").click(); }); // Escape, or the back gesture
  };

  const close = () => {
    if (!$("dialog#form")) return;
    $("dialog#form").close();
    $("#overlay").replaceChildren();
    (opener?.isConnected ? opener : stream).focus();
    opener = null;
  };

  // fail says near the form that was sent what went wrong. What was typed in it stays.
  const fail = (form, text) => {
    const d = form.closest("dialog");
    let box = d ? d.querySelector("#e-form") : $("#failed");
    if (!box) {
      box = document.createElement(d ? "p" : "div");
      box.id = d ? "e-form" : "failed";
      if (d) { box.className = "error"; d.setAttribute("aria-describedby", box.id); form.before(box); } else $("#composer").before(box);
    }
    const p = d ? box : document.createElement("p");
    p.setAttribute("role", "alert");
    p.textContent = text;
    if (!d) box.replaceChildren(p);
    box.scrollIntoView({ block: "nearest" });
  };

  // ---- sending and following

  let sending = 0, loading = false, again = false, turn = 0;

  const send = async (form, button) => {
    if (form.hasAttribute("aria-busy")) return; // pressed twice
    const action = form.getAttribute("action"), text = form.matches("#composer") ? $("#text") : null, was = text?.value;
    const data = new URLSearchParams(new FormData(form));
    if (button?.name) data.set(button.name, button.value);
    const article = form.closest("article");
    if (!$("dialog#form")) opener = text || button;
    if (action === "/close") close();
    form.setAttribute("aria-busy", "true");
    sending++; turn++;
    anchor = null;
    try {
      const r = await fetch(action, { method: "POST", body: data });
      const next = parse(await r.text()), path = new URL(r.url).pathname;
      if (r.ok && path !== location.pathname) { location.assign(path); return; }
      if (r.ok && (action === "/act" || action === "/lang")) { location.reload(); return; }
      if (!r.ok && form.closest("dialog")) { fail(form, next.querySelector("#failed [role=alert]").textContent); return; }
      if (text && text.value.trim() === was.trim()) text.value = next.getElementById("text").value; // empty once it was said
      const fold = r.ok && form.closest(narrow.matches ? "details.own, #demo details" : "details.own");
      if (fold) { form.reset(); fold.open = false; }
      show(next, true, action !== "/close"); // that one was closed above; what is open now came after it, or is of another window
      if (text) follow();
      const el = document.activeElement;
      if ($("dialog#form") || !text && el && el !== document.body && el.checkVisibility()) return;
      // The focus is gone with what had it, or belongs where one goes on typing.
      (text || fold && fold.isConnected && fold.querySelector("summary") || article?.isConnected && article.querySelector("button, summary") || stream).focus();
    } catch { // it may have arrived or not: it is never sent twice
      fail(form, document.body.dataset.unreached);
    } finally { sending--; form.removeAttribute("aria-busy"); more(); }
  };

  const load = async () => {
    if (sending || loading) { again = true; return; }
    loading = true;
    const mine = turn;
    try {
      const r = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      const html = await r.text();
      if (mine !== turn) again = true; // older than what was sent meanwhile
      else if (r.ok && new URL(r.url).pathname === location.pathname) show(parse(html), false, false);
    } catch {} finally { loading = false; more(); } // the next event or connection brings the next try
  };
  const more = () => { if (again && !sending && !loading) { again = false; load(); } };

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

  // At the start the end is in sight, or the beginning of the question that is open there.
  const start = () => {
    if (narrow.matches) $("#demo details")?.removeAttribute("open");
    toEnd();
    const last = stream.querySelector(":scope > article:last-of-type");
    if (last?.querySelector("[data-do=answer]") && last.offsetHeight > stream.clientHeight) last.scrollIntoView();
    modal();
  };

  const events = new EventSource("/events");
  let first = true;
  events.addEventListener("hello", () => { if (!first) load(); first = false; });
  events.addEventListener("changed", load);
  start();
})();
