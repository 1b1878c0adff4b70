export const EXAMPLES: readonly { name: string; sql: string }[] = [
  {
    name: "Cost by model",
    sql: `select model, count(*) as calls, sum(input_tokens) as tokens_in, sum(output_tokens) as tokens_out,
       sum(cost_nano_usd) / 1e9 as usd
from spans
where kind in ('llm', 'embedding', 'reranker')
group by model
order by usd desc nulls last`,
  },
  {
    name: "Slowest calls",
    sql: `select start_time, service, name, model, duration_ns / 1e9 as seconds, trace_id
from spans
where kind = 'llm'
order by duration_ns desc
limit 20`,
  },
  {
    name: "What fails",
    sql: `select service, name, count(*) as failed, max(start_time) as latest
from spans
where status = 'error'
group by service, name
order by failed desc`,
  },
  {
    name: "Busiest users",
    sql: `select user_id, count(distinct trace_id) as traces, sum(output_tokens) as tokens_out
from spans
where user_id is not null
group by user_id
order by traces desc
limit 20`,
  },
];
