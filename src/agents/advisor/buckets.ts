/** The cost categories ("buckets") an analysis is made of, and which one a phrase is about. */

export const BUCKETS = ["llm_api", "gpu", "training", "data", "platform"] as const;

export type Bucket = (typeof BUCKETS)[number];

/** What a person may name; "cloud" is a bill that mixes several buckets. */
export type Scope = Bucket | "cloud";

/** Monthly spend per bucket. */
export type Spend = Readonly<Partial<Record<Bucket, number>>>;

export const LABELS: Readonly<Record<Scope, string>> = {
  llm_api: "LLM API calls",
  gpu: "GPU compute",
  training: "model training",
  data: "data pipelines and storage",
  platform: "platform, storage and logs",
  cloud: "cloud bill",
};

/** First match wins: training on GPUs is training, and "inference" alone says least. */
const WORDS: ReadonlyArray<readonly [Scope, RegExp]> = [
  ["training", /\b(?:(?:pre-?)?train(?:ing|ed)?|fine-?tun\w*|hyperparam\w*)\b/i],
  [
    "gpu",
    /\b(?:gpus?|[hb]200s?|[hav]100s?|a10g?s?|l40?s?|t4s?|self-?host\w*|runpod|coreweave|lambda labs|vllm)\b/i,
  ],
  [
    "llm_api",
    /\b(?:open ?ai|anthropic|claude|(?:chat)?gpt\w*|gemini|bedrock|llms?|apis?|tokens?|embeddings?|deepseek|mistral|openrouter|litellm|chat|completions?)\b/i,
  ],
  [
    "data",
    /\b(?:data|storage|s3|bigquery|snowflake|databricks|etl|elt|pipelines?|spark|warehouse|egress|athena|redshift|kafka|airflow|glue)\b/i,
  ],
  [
    "platform",
    /\b(?:observability|monitoring|logging|logs|datadog|vector|pinecone|weaviate|tooling|langsmith|platform|kubernetes|saas)\b/i,
  ],
  ["gpu", /\b(?:inference|serving|compute|ec2|sagemaker|machine learning)\b/i],
  ["cloud", /\b(?:aws|amazon|gcp|google cloud|azure|cloud)\b/i],
];

export function scopeOf(text: string): Scope | undefined {
  return WORDS.find(([, words]) => words.test(text))?.[0];
}

export function totalOf(spend: Spend): number {
  return BUCKETS.reduce((sum, bucket) => sum + (spend[bucket] ?? 0), 0);
}
