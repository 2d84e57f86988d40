/** The page's look: system fonts, light and dark, readable on a phone. */
export const style = `
:root { color-scheme: light dark; --line: #8884; --dim: #777; --good: #1a7f37; --bad: #b35900; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem; }
header { display: flex; align-items: baseline; gap: 1rem; border-bottom: 2px solid var(--line); }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.75rem 0 .25rem; }
p { margin: .25rem 0 .5rem; } header p, footer, .empty { color: var(--dim); }
section { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--dim); font-size: .85rem; }
code { font: .9em ui-monospace, monospace; }
.good { color: var(--good); } .bad { color: var(--bad); }
.alarm { border: 2px solid var(--bad); color: var(--bad); font-weight: 600; margin: 1rem 0; padding: .5rem .75rem; }
footer { margin-top: 2rem; font-size: .85rem; }
ul { margin: .25rem 0; padding-left: 1.2rem; }
`;
