// The dashboard's page: starts the connection and draws.

import { render } from "preact";
import { App } from "./app";
import { hub } from "./live/hooks";
import { parsePlace } from "./route";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  hub.start(!parsePlace(location.hash, location.search).embed);
  render(<App />, root);
}
