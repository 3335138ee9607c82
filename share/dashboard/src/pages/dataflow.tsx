export function DataflowPage() { return <h1>Dataflow</h1>; }
