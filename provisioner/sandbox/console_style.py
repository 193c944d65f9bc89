"""How the console looks: one stylesheet, light and dark, on screens of any width and on paper.

Every text has a contrast of at least 4.5 to its ground, every border of a field and every focus ring of at
least 3 (WCAG 2.2, 1.4.3 and 1.4.11), in both schemes: tests/sandbox/test_console_pages.py computes them.
"""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f4f6f8; --text: #1b2430; --soft: #53606f; --line: #d5dbe1; --edge: #76828f;
  --link: #0b57a4; --button: #0b57a4; --on-button: #ffffff;
  --danger: #b3261e; --on-danger: #ffffff; --error-ground: #fdecea; --error: #8c1d18;
  --good-ground: #e6f4ea; --good: #145a2b; --once-ground: #fff4d6; --once: #5c4300;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12171d; --panel: #1b222b; --text: #e6ebf0; --soft: #a3b0bd; --line: #333e4a; --edge: #7d8a97;
    --link: #8ac1ff; --button: #8ac1ff; --on-button: #0a1a2b;
    --danger: #ffb4ab; --on-danger: #410002; --error-ground: #3b1512; --error: #ffb4ab;
    --good-ground: #12301d; --good: #9be0b0; --once-ground: #33290b; --once: #f5d787;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); overflow-wrap: break-word;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header { background: var(--panel); border-bottom: 1px solid var(--line); }
header > div, main, footer { max-width: 64rem; margin: 0 auto; padding: 0.75rem 1.25rem; }
header > div { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: center;
  justify-content: space-between; }
main { padding-top: 1.5rem; padding-bottom: 3rem; }
footer { color: var(--soft); border-top: 1px solid var(--line); font-size: 0.875rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; }
p { margin: 0.5rem 0; max-width: 44rem; }
.way, .hint, .empty { color: var(--soft); }
.way { margin: 0 0 1.25rem; }
.hint { font-size: 0.875rem; margin: 0.125rem 0 0.25rem; display: block; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; background: var(--ground); padding: 0.5rem 1rem; }
.skip:focus { left: 0.5rem; top: 0.5rem; }
nav ol { list-style: none; display: flex; flex-wrap: wrap; margin: 0; padding: 0; }
nav li + li::before { content: "/"; color: var(--soft); padding: 0 0.5rem; }
.bar { display: flex; flex-wrap: wrap; gap: 0.75rem 1rem; align-items: end; justify-content: space-between;
  margin: 1rem 0; }
.bar form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; }
.bar .field { margin: 0; }
.note { border-left: 0.3rem solid; border-radius: 0.25rem; padding: 0.75rem 1rem; margin: 1rem 0; }
.note p { margin: 0; } .note ul { margin: 0.25rem 0 0; padding-left: 1.25rem; }
.note a { color: inherit; }
.error { background: var(--error-ground); color: var(--error); }
.good { background: var(--good-ground); color: var(--good); }
.once { background: var(--once-ground); color: var(--once); }
.wide { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: 0.625rem 1rem 0.625rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { color: var(--soft); font-size: 0.875rem; font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
td:last-child { padding-right: 0; }
td.do { white-space: nowrap; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.375rem 1.5rem;
  margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.acts { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem;
  align-items: start; }
details { display: inline-block; } details .acts { flex-direction: column; align-items: start;
  padding: 0.5rem 0 0.25rem; }
summary { cursor: pointer; list-style: none; padding: 0 0.75rem; border-radius: 0.375rem;
  border: 1px solid var(--edge); font-weight: 700; color: var(--link); width: max-content; }
summary::-webkit-details-marker { display: none; }
.field { margin: 0 0 1.125rem; max-width: 36rem; border: 0; padding: 0; }
label, legend { font-weight: 600; padding: 0; }
.switch { display: flex; gap: 0.625rem; align-items: baseline; }
.switch label, .field div label { font-weight: 400; }
.switch label { font-weight: 600; }
input:not([type=checkbox]), select, textarea { font: inherit; color: var(--text); background: var(--ground);
  border: 1px solid var(--edge); border-radius: 0.375rem; padding: 0.4375rem 0.625rem; width: 100%;
  display: block; }
input[type=checkbox] { width: 1.125rem; height: 1.125rem; accent-color: var(--button); flex: none;
  position: relative; top: 0.1875rem; }
[aria-invalid] { border-color: var(--error) !important; border-width: 2px !important; }
.fault { color: var(--error); font-weight: 600; font-size: 0.875rem; display: block;
  margin: 0.125rem 0 0.25rem; }
.value { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace !important;
  font-size: 0.9375rem !important; }
.values .field { max-width: 46rem; }
button, .button { font: inherit; font-weight: 600; cursor: pointer; display: inline-block;
  text-decoration: none; border: 1px solid transparent; border-radius: 0.375rem; padding: 0.4375rem 1rem;
  background: var(--button); color: var(--on-button); }
button:hover, .button:hover { filter: brightness(1.12); }
button.danger { background: var(--danger); color: var(--on-danger); }
button.quiet, .button.quiet { background: transparent; color: var(--link); border-color: var(--edge); }
button.plain { background: none; border: 0; padding: 0; color: var(--link); font-weight: 400;
  text-decoration: underline; text-underline-offset: 0.15em; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.75rem; margin: 1.25rem 0; }
form.inline { display: inline; }
@media (max-width: 40rem) { table { min-width: 42rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.625rem; } }
@media print {
  :root { --ground: #fff; --text: #000; --soft: #333; --line: #999; --once-ground: #fff; --once: #000; }
  header form, .skip, .bar, td.do, th.do, .buttons, .acts, nav { display: none; }
  .value { border: 1px solid #999; }
}
"""

#: The one source of style that the pages' Content-Security-Policy lets in.
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
