import { describe, expect, test } from "vitest";
import { markdownHtml } from "../../src/web/markdown-html.ts";

describe("the page's Markdown", () => {
  test("[W6] becomes headings, lists, code and tables", () => {
    const html = markdownHtml("# A\n\n- b `c`\n\n| d | e |\n|---|--:|\n| 1 | 2 |\n");
    expect(html).toContain("<h1>A</h1>");
    expect(html).toContain("<li>b <code>c</code></li>");
    expect(html).toContain('<td align="right">2</td>');
  });

  test.each([
    ["a script", "<script>alert(1)</script>"],
    ["an image with a handler", "a <img src=x onerror=alert(1)> b"],
    ["a frame in a table", "| a |\n|---|\n| <iframe src=//evil> |"],
    ["a style", "<style>*{display:none}</style>"],
    ["a comment", "<!-- <b> -->"],
  ])("[W6] %s comes out as text", (_, markdown) => {
    expect(markdownHtml(markdown)).not.toMatch(/<(script|img|iframe|style|!--)/i);
    expect(markdownHtml(markdown)).toContain("&lt;");
  });

  test.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "vbscript:x", "data:text/html,x", "file:///etc"])(
    "[W6] a link to %s leads nowhere",
    (url) => {
      expect(markdownHtml(`[a](${url})`)).toContain('href=""');
      expect(markdownHtml(`<${url}>`)).not.toMatch(/href="[a-z]/i);
      expect(markdownHtml(`![a](${url})`)).toContain('src=""');
    },
  );

  test("[W6] a link to a page stays", () => {
    expect(markdownHtml("[a](https://example.com/x?y=1)")).toContain('href="https://example.com/x?y=1"');
  });
});
