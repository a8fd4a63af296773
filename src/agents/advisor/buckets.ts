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
  platform: "platform and logs",
  cloud: "cloud bill",
};

/** What an answer can be about; first match wins. */
export const FOCI: ReadonlyArray<readonly [Exclude<Bucket, "platform">, RegExp]> = [
  ["training", /\b(?:(?:pre-?)?train(?:ing|ed)?|fine-?tun\w*|checkpoint\w*)\b/i],
  [
    "gpu",
    /\b(?:gpus?|[hb]200s?|(?:\dx)?[ah]100s?|l40?s?|t4s?|self-?host\w*|vllm|utili[sz]ation|spot|reserved|quanti[sz]\w*|idle)\b/i,
  ],
  [
    "llm_api",
    /\b(?:open ?ai|anthropic|claude|(?:chat)?gpt\w*|gemini|bedrock|llms?|apis?|tokens?|embeddings?|deepseek|mistral|prompts?|cach(?:e|ing)|batch\w*|rout(?:e|ing))\b/i,
  ],
  [
    "data",
    /\b(?:(?<!training )data|storage|s3|bigquery|redshift|athena|glue|analytics|snowflake|databricks|etl|elt|spark|warehouse|egress|kafka)\b/i,
  ],
];

/** "Inference" alone says least, and "cloud" next to nothing. */
const OTHERS: ReadonlyArray<readonly [Scope, RegExp]> = [
  [
    "platform",
    /\b(?:observability|monitoring|logs?|logging|datadog|vector|platform|kubernetes|pinecone|weaviate|qdrant|milvus|lang(?:smith|fuse)|elasticsearch|grafana)\b/i,
  ],
  ["gpu", /\b(?:inference|serving|compute|ec2|sagemaker)\b/i],
  ["cloud", /\b(?:aws|amazon|gcp|google cloud|azure|cloud)\b/i],
];

export function scopeOf(text: string): Scope | undefined {
  return [...FOCI, ...OTHERS].find(([, words]) => words.test(text))?.[0];
}

export function totalOf(spend: Spend): number {
  return BUCKETS.reduce((sum, bucket) => sum + (spend[bucket] ?? 0), 0);
}
