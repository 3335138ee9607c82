// Arithmetic with colours of any notation.

const scratch = document.createElement("canvas").getContext("2d");

/** Red, green and blue of any colour the browser knows. */
function channels(color: string): [number, number, number] {
  if (!scratch) return [128, 128, 128];
  scratch.fillStyle = "#808080";
  scratch.fillStyle = color;
  const known = String(scratch.fillStyle);
  if (known.startsWith("#")) {
    const bits = parseInt(known.slice(1), 16);
    return [(bits >> 16) & 255, (bits >> 8) & 255, bits & 255];
  }
  const [r = 128, g = 128, b = 128] = (known.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b];
}

/** The colour, as opaque as `alpha` says. */
export function fade(color: string, alpha: number): string {
  return `rgba(${channels(color).join(", ")}, ${alpha})`;
}

/** The colour laid over `ground`, with this share of it. */
export function blend(color: string, ground: string, share: number): string {
  const under = channels(ground);
  const mixed = channels(color).map((c, i) => Math.round(c * share + (under[i] ?? 0) * (1 - share)));
  return `rgb(${mixed.join(", ")})`;
}
