/// The page's look; colours follow the reader's choice of a light or dark scheme.
let reportStyle = """
  :root { color-scheme: light dark; --ink: #1d2127; --soft: #5b6470; --paper: #fdfdfc; --line: #d9dde2; --band: #f1f3f5; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e4e7eb; --soft: #9aa4b0; --paper: #15181c; --line: #343a42; --band: #1e2329; }
  }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
  h1 { font-size: 1.7rem; font-weight: 650; margin: 0 0 1.5rem; }
  h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
  h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
  p { max-width: 60rem; color: var(--soft); }
  ul { padding-left: 1.25rem; max-width: 60rem; }
  li { margin: .35rem 0; }
  .table { overflow-x: auto; margin: .75rem 0; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .35rem .7rem; text-align: left; white-space: nowrap; }
  th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
  tbody tr:nth-child(even) { background: var(--band); }
  .number { text-align: right; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 1rem 0; }
  dt { color: var(--soft); }
  dd { margin: 0; overflow-wrap: anywhere; }
  pre { background: var(--band); padding: .8rem 1rem; overflow-x: auto; font-size: .85rem; }

  """
