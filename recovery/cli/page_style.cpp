// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// page_style.cpp -- colours are named once for light and once for dark; text has a contrast of at
// least 4.5 to its background, and what is drawn of at least 3.

#include "recovery/cli/outage_page.hpp"

namespace assent::cli {

std::string_view page_style() noexcept
{
    return R"(:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1b1f27; --soft: #565e6c; --line: #d9dee6;
  --code: #eef1f5; --link: #1d55b3;
  --fine: #1b6b3a; --waits: #8a5a00; --bad: #b3261e; --unknown: #5a4a9c; --on-badge: #ffffff;
  --opening: #5f6b7d; --decision: #1d63c4; --heuristic: #c4321f; --person: #6b46b0;
  --database: #17766f;
  --age0: #6f9fd8; --age1: #3f78c0; --age2: #24529a; --age3: #12305f; --age4: #8a8f99;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151a; --card: #1a1e25; --text: #e7eaf0; --soft: #a5aebd; --line: #333a46;
    --code: #232934; --link: #8ab8ff;
    --fine: #5fd08c; --waits: #f0b64a; --bad: #ff8a80; --unknown: #b9a8ff; --on-badge: #12151a;
    --opening: #9aa5b8; --decision: #6aa8ff; --heuristic: #ff7a68; --person: #b99bff;
    --database: #4fc9be;
    --age0: #4d7fbf; --age1: #78a6e0; --age2: #a7c8f2; --age3: #dbe9fb; --age4: #8a8f99;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: auto; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 64rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1 {
  font-size: clamp(1.5rem, 1.1rem + 1.9vw, 2.3rem); line-height: 1.2; margin: .4rem 0 .8rem;
  max-width: 26em; overflow-wrap: break-word; text-wrap: balance;
}
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 .8rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .5rem 0; max-width: 46em; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.lead { font-size: 1.125rem; margin: 0 0 1.2rem; }
.node { color: var(--soft); }
.badge {
  display: inline-block; padding: .1rem .65rem; margin-right: .4rem; border-radius: 1rem;
  font-weight: 600; font-size: .875rem; color: var(--on-badge);
}
.badge.fine { background: var(--fine); }
.badge.waits { background: var(--waits); }
.badge.bad { background: var(--bad); }
.badge.unknown { background: var(--unknown); }
header dl { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: 0; }
header dl div { max-width: 100%; }
dt { font-size: .8125rem; color: var(--soft); }
dd { margin: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; }
nav { margin: 1.5rem 0; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.25rem 1.4rem 1.4rem; margin: 0 0 1.25rem; scroll-margin-top: 1rem;
}
code { font: .875em/1.5 ui-monospace, "Cascadia Mono", "Liberation Mono", monospace; }
pre {
  background: var(--code); border-radius: .4rem; padding: .6rem .8rem; margin: .5rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
pre span { white-space: nowrap; }
.steps { padding-left: 1.5rem; margin: 0; }
.steps > li { margin: 0 0 1rem; padding-left: .3rem; }
.steps > li::marker { font-weight: 700; color: var(--link); }
.said { padding-left: 1.2rem; margin: .4rem 0; color: var(--soft); font-size: .9375rem; }
figure { margin: 0 0 1.25rem; }
figcaption, caption, .more, footer { color: var(--soft); font-size: .875rem; }
.picture { display: block; font-size: 13px; }
.picture text { fill: var(--text); }
.picture .pause, .picture .end { fill: var(--soft); font-size: 12px; }
.picture .lane { font-weight: 600; }
.rail { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; }
.now { stroke: var(--soft); stroke-dasharray: 3 4; }
.m-opening { fill: var(--opening); }
.m-decision { fill: var(--decision); }
.m-heuristic { fill: var(--heuristic); }
.m-person { fill: var(--person); }
.m-database { fill: var(--database); }
.bar { stroke: var(--card); stroke-width: 2; }
.age0 { fill: var(--age0); }
.age1 { fill: var(--age1); }
.age2 { fill: var(--age2); }
.age3 { fill: var(--age3); }
.age4 { fill: var(--age4); }
.legend {
  display: flex; flex-wrap: wrap; gap: .25rem 1.2rem; list-style: none; padding: 0;
  margin: .4rem 0 0; font-size: .875rem;
}
.legend svg { vertical-align: -2px; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.25rem; font-size: .9375rem; }
caption { text-align: left; padding: 0 0 .4rem; }
th, td {
  text-align: left; vertical-align: top; padding: .45rem .8rem .45rem 0;
  border-top: 1px solid var(--line); font-variant-numeric: tabular-nums;
}
thead th { border-top: 0; font-size: .8125rem; font-weight: 600; color: var(--soft); }
thead th, time { overflow-wrap: normal; }
tbody th { font-weight: 500; min-width: 7em; }
small { display: block; color: var(--soft); }
section > :last-child { margin-bottom: 0; }
@media (max-width: 44rem) {
  body { padding: 1.25rem .9rem 2rem; }
  .picture .short { display: none; }
  section { padding: 1rem; }
  table, tbody, tr, td, tbody th { display: block; }
  caption { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { border-top: 1px solid var(--line); padding: .5rem 0; }
  td, tbody th { border: 0; padding: .1rem 0; }
  td { display: grid; grid-template-columns: 8.5rem 1fr; gap: .6rem; }
  td::before { content: attr(data-label); color: var(--soft); font-size: .8125rem; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --text: #000000; --soft: #444444; --line: #bbbbbb;
    --code: #f2f2f2; --on-badge: #ffffff; --link: #000000;
    --fine: #1b6b3a; --waits: #8a5a00; --bad: #b3261e; --unknown: #5a4a9c;
    --opening: #5f6b7d; --decision: #1d63c4; --heuristic: #c4321f; --person: #6b46b0;
    --database: #17766f;
    --age0: #6f9fd8; --age1: #3f78c0; --age2: #24529a; --age3: #12305f; --age4: #8a8f99;
  }
  @page { margin: 1.6cm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: .8rem 0; }
  h2, h3, caption { break-after: avoid; }
  tr, figure, .steps > li, pre { break-inside: avoid; }
  thead { display: table-header-group; }
}
)";
}

}  // namespace assent::cli
