import type { Summary } from "./orders.ts";

/** The page on which people order widgets. */
export function page({ instance, release, orders, widgets }: Summary & { instance: string; release: string }): string {
  const rows = widgets.map(({ widget, ordered }) => `<tr><td>${escaped(widget)}</td><td>${ordered}</td></tr>`).join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The widget factory</title>
<style>body { font: 16px system-ui; margin: 3rem auto; max-width: 34rem } td { padding-right: 2rem }</style>
<h1>The widget factory</h1>
<form id="order">
  <input name="widget" placeholder="cog" required maxlength="40">
  <input name="count" type="number" value="1" min="1" max="1000" required>
  <button>Order</button> <output></output>
</form>
<h2>${orders} orders</h2>
<table>${rows}</table>
<p><small>Release ${escaped(release)}, instance ${escaped(instance)}</small></p>
<script>
  const form = document.getElementById("order");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = JSON.stringify({ widget: form.widget.value, count: Number(form.count.value) });
    const answer = await (await fetch("/orders", { method: "POST", body })).json();
    form.querySelector("output").textContent = answer.error ?? "Order " + answer.order + " is ready in " + answer.ready + ".";
  });
</script>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
