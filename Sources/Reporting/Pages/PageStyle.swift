/// The look of all pages. Colours follow the reader's choice of a light or dark scheme; whatever a colour tells, a shape,
/// a thickness or a table tells too.
let pageStyle = """
  :root {
    color-scheme: light dark;
    --ink: #1d2127; --soft: #5b6470; --paper: #fdfdfc; --line: #d9dde2; --band: #f1f3f5;
    --s1: #1f5fbf; --s2: #c2500a; --s3: #2d7d46; --s4: #8a3fa0;
    --h0: #8fbce6; --h1: #aecdec; --h2: #cbdff2; --h3: #e3eef8; --h4: #f2f0ec;
    --h5: #fce8d4; --h6: #fad3ae; --h7: #f6b985; --h8: #ee9c5c;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --ink: #e4e7eb; --soft: #a3adb8; --paper: #15181c; --line: #343a42; --band: #1e2329;
      --s1: #7db0ff; --s2: #ffa05c; --s3: #7fd39a; --s4: #d69af0;
      --h0: #1f5086; --h1: #1d436c; --h2: #1c3652; --h3: #1c2c3e; --h4: #262a2f;
      --h5: #3a2c20; --h6: #52361f; --h7: #6c411c; --h8: #865011;
    }
  }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 6rem; }
  h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 650; margin: 0 0 1rem; }
  h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
  h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
  p, ul { max-width: 60rem; }
  p { color: var(--soft); }
  .lead { color: var(--ink); font-size: 1.1rem; }
  ul { padding-left: 1.25rem; }
  li { margin: .35rem 0; }
  a { color: var(--s1); }
  nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1rem 0; }
  small { display: block; font-size: .85em; color: var(--soft); }
  .table { overflow-x: auto; margin: .75rem 0; }
  table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .35rem .7rem; text-align: left; vertical-align: top; white-space: nowrap; }
  th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
  tbody tr:nth-child(even) { background: var(--band); }
  th.number, td.number { text-align: right; }
  td.wide { white-space: normal; min-width: 14rem; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 1rem 0; }
  dt { color: var(--soft); }
  dd { margin: 0; overflow-wrap: anywhere; }
  pre { background: var(--band); padding: .8rem 1rem; overflow-x: auto; font-size: .85rem; }
  details { margin: .75rem 0; }
  summary { cursor: pointer; color: var(--s1); width: max-content; max-width: 100%; }
  .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 10.5rem), 1fr)); gap: .75rem; margin: 1.25rem 0; }
  .cards div { background: var(--band); border-radius: .5rem; padding: .8rem 1rem; }
  .cards strong { display: block; font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
  .cards span { color: var(--soft); font-size: .875rem; line-height: 1.35; display: block; }

  .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 0 1.5rem; margin: 1rem 0; }
  figure { display: grid; grid-template-rows: subgrid; grid-row: span 3; align-items: start; break-inside: avoid;
    margin: 0 0 1.5rem; max-width: 28rem; min-width: 0; }
  figcaption { font-weight: 600; font-size: .9rem; line-height: 1.35; margin-bottom: .4rem; align-self: end; }
  figure svg { display: block; width: 100%; height: auto; }
  .legend, .note { margin: .35rem 0 0; font-size: .82rem; line-height: 1.4; }
  .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
  .legend span { white-space: nowrap; }
  figure svg.key { display: inline-block; width: 1.6em; height: .8em; margin-right: .35em; vertical-align: -.05em; }
  svg text { font: 11.5px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums;
    paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
  svg .strong { fill: var(--ink); font-weight: 600; }
  svg .end { text-anchor: end; }
  svg .middle { text-anchor: middle; }
  .axis { stroke: var(--soft); fill: none; }
  .grid { stroke: var(--line); fill: none; }
  .rule { stroke: var(--soft); fill: none; stroke-dasharray: 2 3; stroke-width: 1.4; }
  .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
  .line.s1 { stroke: var(--s1); }
  .line.s2 { stroke: var(--s2); stroke-dasharray: 7 3; }
  .line.s3 { stroke: var(--s3); stroke-dasharray: 3 2.5; }
  .line.s4 { stroke: var(--s4); stroke-dasharray: 9 2.5 2 2.5; }
  .dot { stroke: var(--paper); stroke-width: .8; }
  .dot.s1, .bar.s1, .cell { fill: var(--s1); }
  .dot.s2, .bar.s2 { fill: var(--s2); }
  .dot.s3, .bar.s3 { fill: var(--s3); }
  .dot.s4, .bar.s4 { fill: var(--s4); }
  .dot.hollow { fill: var(--paper); stroke: var(--s1); stroke-width: 1.6; }
  .bar { fill-opacity: .85; }
  .cell { shape-rendering: crispEdges; }
  .d1 { fill-opacity: .13; } .d2 { fill-opacity: .27; } .d3 { fill-opacity: .43; } .d4 { fill-opacity: .6; }
  .d5 { fill-opacity: .8; } .d6 { fill-opacity: 1; }

  .passage { line-height: 2.15; font-size: 1.06rem; margin: 1rem 0; max-width: 62rem; overflow-wrap: anywhere; }
  .token, .scale span { border-bottom: 0 solid var(--ink); }
  .token { white-space: pre-wrap; padding: .12em 0; cursor: default; }
  .token:hover, .token:focus { outline: 2px solid var(--ink); outline-offset: 1px; }
  .token .about { display: none; }
  .token:hover .about, .token:focus .about { display: block; position: fixed; z-index: 1; left: 50%; bottom: .75rem;
    transform: translateX(-50%); width: max-content; max-width: calc(100vw - 1.5rem); padding: .55rem .9rem; background: var(--ink);
    color: var(--paper); border-radius: .5rem; font-size: .9rem; line-height: 1.45; font-variant-numeric: tabular-nums; }
  .passage:hover .token:focus:not(:hover) .about { display: none; }
  .shelf { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0 1.2rem; align-items: flex-start; break-inside: avoid; }
  .shelf > div { width: 8.2rem; background: var(--band); border-radius: .5rem; padding: .5rem; font-size: .8rem;
    line-height: 1.35; overflow-wrap: anywhere; }
  .shelf > div.text { border: 1px solid var(--line); background: none; }
  .shelf strong { font-weight: 600; display: block; }
  .shelf img, .shelf .absent { display: flex; width: 6rem; height: 6rem; margin: 0 auto .35rem; align-items: center;
    background: #fff; color: #5b6470; text-align: center; border-radius: .25rem; image-rendering: auto; }
  .shelf > ul { flex: 1 1 16rem; margin: 0; }
  .scale { display: flex; flex-wrap: wrap; align-items: flex-start; gap: .3rem; margin: .5rem 0; font-size: .82rem;
    font-variant-numeric: tabular-nums; }
  .scale span { padding: .05rem .5rem; }
  .h0 { background: var(--h0); }
  .h1 { background: var(--h1); border-bottom-width: .7px; }
  .h2 { background: var(--h2); border-bottom-width: 1.3px; }
  .h3 { background: var(--h3); border-bottom-width: 2px; }
  .h4 { background: var(--h4); border-bottom-width: 2.6px; }
  .h5 { background: var(--h5); border-bottom-width: 3.3px; }
  .h6 { background: var(--h6); border-bottom-width: 4px; }
  .h7 { background: var(--h7); border-bottom-width: 4.8px; }
  .h8 { background: var(--h8); border-bottom-width: 5.6px; }

  @media (max-width: 40rem) {
    main { padding: 1.25rem 1rem 6rem; }
    h1 { font-size: 1.35rem; }
    dl { grid-template-columns: 1fr; gap: 0; }
    dd { margin-bottom: .5rem; }
    .legend span { white-space: normal; }
  }
  @media print {
    :root { color-scheme: light; }
    body { font-size: 10pt; }
    main { max-width: none; padding: 0; }
    nav { display: none; }
    .table { overflow: visible; }
    table { font-size: 7.5pt; }
    th, td { white-space: normal; padding: .15rem .35rem; }
    tr { break-inside: avoid; }
    h2, h3, summary, figcaption { break-after: avoid; }
    .figures { grid-template-columns: repeat(2, 1fr); }
    pre { white-space: pre-wrap; }
    details::details-content { content-visibility: visible; block-size: auto; }
    .token, .scale span, .bar, .cell, .cards div, .shelf > div, tbody tr { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  }

  """
