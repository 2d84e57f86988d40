/** GET /: the status as a page to look at. It works without scripts and refreshes itself. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { BalancerSurvey, DomainSurvey, RefusedSurvey } from "../shared/reconcile/survey.ts";
import type { CertificateSurvey } from "../shared/reconcile/survey-certificates.ts";
import type { Door } from "./door.ts";
import { style } from "./page-style.ts";
import { readStatus } from "./status.ts";

/** It is asked for every few seconds, and each certificate is read with its users. */
const onPage = { domains: 100, certificates: 100 };
const refreshSeconds = 5;

export async function page(door: Door, context: Context): Promise<Response> {
  const status = await readStatus(door, context.req.query("after"), onPage);
  const due = status.marks.due === 0 ? "nothing to do" : `${status.marks.due} to translate`;
  return context.html(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<title>Entrance</title>
<style>${style}</style>
</head>
<body>
<header><h1>Entrance</h1><p>${due} · store ${status.store}</p></header>
<main>
${status.closed === undefined ? "" : html`<p class="alarm">${status.closed}</p>`}
${status.balancers.map(({ name, frozen }) =>
  frozen === undefined
    ? ""
    : html`<p class="alarm">Balancer ${name} is FROZEN since ${new Date(frozen).toISOString()}: its nodes keep what they have. npm run store -- unfreeze ${name}</p>`,
)}
${status.balancers.map(balancerSection)}
<section>
<h2>Domains</h2>
${status.domains.length === 0 ? html`<p class="empty">No object asks for a host yet.</p>` : domainTable(status.domains)}
${status.next === undefined ? "" : html`<p><a href="/?after=${encodeURIComponent(status.next)}">more</a></p>`}
</section>
<section>
<h2>Certificates</h2>
${status.certificates.length === 0 ? html`<p class="empty">No Secret with a certificate is known.</p>` : certificateTable(status.certificates)}
</section>
<section>
<h2>Refused</h2>
${status.refused.length === 0 ? html`<p class="empty">Nothing is refused.</p>` : refusedTable(status.refused)}
</section>
</main>
<footer>LIST: ${status.list} · <a href="/status">as JSON</a> · <a href="/metrics">metrics</a></footer>
</body>
</html>`);
}

function balancerSection(balancer: BalancerSurvey) {
  return html`<section>
<h2>Balancer ${balancer.name}</h2>
<p>classes ${balancer.classes.join(", ")} · revision ${balancer.head?.revision ?? 0}</p>
<table>
<thead><tr><th>node</th><th>state</th><th>revision</th><th>behind</th><th>rejected</th></tr></thead>
<tbody>${balancer.nodes.map((node) => {
    const good = node.error === undefined && node.lag === 0;
    const state = node.error ?? (node.revision === undefined ? "not asked yet" : good ? "up to date" : "catching up");
    return html`<tr><td><code>${node.url}</code></td>
<td class="${good ? "good" : "bad"}">${state}</td><td>${node.revision ?? "–"}</td><td>${node.lag ?? "–"}</td>
<td>${
      node.rejected.length === 0
        ? "0"
        : html`<details><summary>${node.rejected.length}</summary><ul>${node.rejected
            .slice(0, 100)
            .map((each) => html`<li><code>${each.key}</code> ${each.reason}</li>`)}</ul></details>`
    }</td></tr>`;
  })}</tbody>
</table>
</section>`;
}

function domainTable(domains: readonly DomainSurvey[]) {
  return html`<table>
<thead><tr><th>host</th><th>tenant</th><th>path</th><th>pool</th><th>members</th></tr></thead>
<tbody>${domains.map((domain) =>
    domain.routes.length === 0
      ? html`<tr><td><code>${domain.name}</code></td><td>${domain.tenant}</td><td colspan="3" class="empty">reserved</td></tr>`
      : domain.routes.map(
          (route) => html`<tr><td><code>${domain.name}</code></td><td>${domain.tenant}</td>
<td><code>${pathText(route.path)}</code></td>
<td>${route.pools.map((each) => html`<div><code>${each.pool}</code></div>`)}</td>
<td>${route.pools.map((each) => html`<div>${membersText(each.members)}</div>`)}</td></tr>`,
        ),
  )}</tbody>
</table>`;
}

function certificateTable(certificates: readonly CertificateSurvey[]) {
  return html`<table>
<thead><tr><th>secret</th><th>names</th><th>until</th><th>used by</th></tr></thead>
<tbody>${certificates.map(
    ({ namespace, secret, names, notAfter, hosts, problems }) => html`<tr><td><code>${namespace}/${secret}</code></td>
<td>${names.slice(0, 10).join(", ")}</td>
<td class="${problems.length === 0 ? "good" : "bad"}">${notAfter}${problems.map((problem) => html`<div>${problem}</div>`)}</td>
<td>${hosts.length === 0 ? "nobody" : hosts.slice(0, 10).join(", ")}</td></tr>`,
  )}</tbody>
</table>`;
}

function refusedTable(refused: readonly RefusedSurvey[]) {
  return html`<table>
<thead><tr><th>object</th><th>why</th></tr></thead>
<tbody>${refused.map(
    (each) =>
      html`<tr><td><code>${each.object}</code></td><td>${each.reasons.map((reason) => html`<div>${reason}</div>`)}</td></tr>`,
  )}</tbody>
</table>`;
}

function pathText(path: unknown): string {
  if (typeof path !== "object" || path === null || !("value" in path) || !("type" in path)) return "";
  return path.type === "prefix" ? String(path.value) : `${String(path.value)} (${String(path.type)})`;
}

/** At most ten by name, the rest as a number. */
function membersText(members: readonly unknown[]): string {
  if (members.length === 0) return "none";
  const names = members.slice(0, 10).map((member) => {
    if (typeof member !== "object" || member === null || !("address" in member) || !("port" in member)) return "?";
    const address = String(member.address);
    const text = `${address.includes(":") ? `[${address}]` : address}:${String(member.port)}`;
    return "ready" in member && member.ready === true ? text : `${text} (not ready)`;
  });
  return names.join(", ") + (members.length > 10 ? ` and ${members.length - 10} more` : "");
}
