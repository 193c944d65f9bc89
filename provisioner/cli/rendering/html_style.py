"""How our pages look: one stylesheet, light and dark, on screens of any width and on paper.

Every text has a contrast of at least 4.5 to its ground and every mark of at least 3 (WCAG 2.2, 1.4.3 and
1.4.11), in both schemes: tests/cli/test_report_page.py computes them.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f7f9; --text: #1a232d; --soft: #556271; --line: #d8dee4;
  --link: #0b57a4; --due: #0b57a4; --end: #b3261e; --old: #6b4fa0; --good: #1a6b3c; --wait: #7a5200;
  --end-ground: #fdecea; --wait-ground: #fff4d9; --good-ground: #e7f4eb; --band: #eef2f6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12171d; --panel: #1a212a; --text: #e6ebf0; --soft: #a5b1be; --line: #323c48;
    --link: #8ac1ff; --due: #8ac1ff; --end: #ffb0a6; --old: #cbb5ff; --good: #8fdcaa; --wait: #f4d488;
    --end-ground: #3a1714; --wait-ground: #33290d; --good-ground: #13301e; --band: #1f2833;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.skip { position: absolute; left: -100rem; background: var(--ground); padding: 0.5rem 1rem; z-index: 1; }
.skip:focus { left: 0.5rem; top: 0.5rem; }
header { background: var(--panel); border-bottom: 1px solid var(--line); }
header > div, main, footer { max-width: 78rem; margin: 0 auto; padding: 1rem 1.5rem; }
header p, header h1 { margin: 0; }
h1 { font-size: 1.625rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.3125rem; margin: 2.5rem 0 0.5rem; padding-top: 0.25rem; }
h3 { font-size: 1.0625rem; margin: 1.75rem 0 0.25rem; }
p { margin: 0.5rem 0; max-width: 48rem; overflow-wrap: anywhere; }
main > section:first-of-type h2 { margin-top: 1rem; }
.soft, header p, footer { color: var(--soft); }
header p { max-width: none; }
footer { border-top: 1px solid var(--line); font-size: 0.875rem; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem;
  margin: 0.625rem 0 0; padding: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem;
  margin: 1rem 0; padding: 0; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem;
  padding: 0.75rem 1rem; display: flex; flex-direction: column-reverse; }
.figures dt { color: var(--soft); font-size: 0.875rem; }
.figures dd { margin: 0; font-size: 1.75rem; line-height: 1.2; font-weight: 650;
  font-variant-numeric: tabular-nums; }
.figures .alarm dd { color: var(--end); }
.wide { overflow-x: auto; margin: 0.5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: 0.875rem; padding: 0.125rem 0 0.375rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4375rem 1.25rem 0.4375rem 0;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: 0.8125rem; font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: break-word; min-width: 9rem; }
td { overflow-wrap: anywhere; min-width: 5rem; } td:last-child { padding-right: 0; }
time, .near { white-space: nowrap; } td .soft { font-size: 0.875rem; }
tbody th .near, tbody th time { font-weight: 400; } .name { white-space: nowrap; }
.tag { display: inline-block; border-radius: 0.25rem; padding: 0 0.4375rem; font-size: 0.8125rem;
  font-weight: 600; white-space: nowrap; }
.tag.end { background: var(--end-ground); color: var(--end); }
.tag.wait { background: var(--wait-ground); color: var(--wait); }
.tag.good { background: var(--good-ground); color: var(--good); }
.tag.none { background: var(--band); color: var(--soft); }
.note { border-left: 0.3rem solid var(--wait); background: var(--wait-ground); color: var(--wait);
  border-radius: 0.25rem; padding: 0.625rem 1rem; margin: 1rem 0; }
.note.bad { border-color: var(--end); background: var(--end-ground); color: var(--end); }
.note p, .note ul { margin: 0; } .note h2 { font-size: 1rem; margin: 0; padding: 0; }
.note ul { padding-left: 1.25rem; }
.sign { font-weight: 700; display: inline-block; min-width: 1.5rem; }
.change { border-top: 1px solid var(--line); padding: 0.75rem 0; }
.change h3 { margin: 0; overflow-wrap: anywhere; } .change p, .change ul { margin: 0.125rem 0 0 1.5rem; }
.change dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0.125rem 1.25rem;
  margin: 0.375rem 0 0 1.5rem; }
.change dt { color: var(--soft); } .change dd { margin: 0; overflow-wrap: anywhere; }
.change ul { padding-left: 1rem; color: var(--soft); }
.add { color: var(--good); } .alter { color: var(--wait); } .again { color: var(--due); }
.gone { color: var(--end); } .idle { color: var(--soft); }
svg { display: block; width: 100%; min-width: 60rem; height: auto; }
svg text { fill: var(--text); font-size: 12px; } svg .axis { fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .today { stroke: var(--text); stroke-width: 1.5; }
svg .track { stroke: var(--line); stroke-width: 5; stroke-linecap: round; }
svg .due { fill: var(--due); } svg .end { fill: none; stroke: var(--end); stroke-width: 2.5; }
svg .old { fill: var(--ground); stroke: var(--old); stroke-width: 2; }
.key { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; list-style: none; padding: 0; margin: 0.5rem 0;
  font-size: 0.875rem; }
.key svg { display: inline-block; width: 16px; min-width: 16px; height: 16px; vertical-align: -0.1875rem;
  margin-right: 0.375rem; }
@media (max-width: 40rem) { header > div, main, footer { padding: 0.75rem 1rem; }
  .wide table { min-width: 44rem; } }
@media print {
  :root { --ground: #fff; --panel: #fff; --text: #000; --soft: #333; --line: #aaa; --band: #fff;
    --link: #000; --due: #0b57a4; --end: #b3261e; --old: #6b4fa0; --good: #1a6b3c; --wait: #7a5200;
    --end-ground: #fff; --wait-ground: #fff; --good-ground: #fff; }
  .skip, nav { display: none; } .wide { overflow: visible; } svg { min-width: 0; }
  main, header > div, footer { max-width: none; padding-left: 0; padding-right: 0; }
  h2, h3, caption { break-after: avoid; } tr, .change, svg { break-inside: avoid; }
  thead { display: table-header-group; }
  body { font-size: 10pt; } th, td { padding-right: 0.75rem; } td { min-width: 0; }
  .name, .near, time { white-space: normal; }
}
"""
