package sdkgen

import (
	"fmt"
	"strings"
)

const typescriptHead = "// Generated from the OpenAPI document by `make generate`. Do not edit.\n"

func typescriptErrors(d document) []byte {
	var b strings.Builder
	b.WriteString(typescriptHead + "\nimport { VaultError } from \"./problem.js\";\n")
	codes := d.Components.Schemas["Problem"].Properties["code"].Enum
	for _, code := range codes {
		fmt.Fprintf(&b, "\n/** The vault answered with the code %s. */\nexport class %sError extends VaultError {}\n",
			code, pascal(code))
	}
	b.WriteString("\n/** The classes of errors by their codes. */\n" +
		"export const byCode: Record<string, typeof VaultError> = {\n")
	for _, code := range codes {
		fmt.Fprintf(&b, "  %s: %sError,\n", code, pascal(code))
	}
	b.WriteString("};\n")
	return []byte(b.String())
}

func typescriptMethods(d document) []byte {
	var b strings.Builder
	b.WriteString(typescriptHead + `
import { Core, type ChangeOptions, type Changed, type Entry, type Input, type Read, type WaitOptions } from "./core.js";

/** One method for each operation of the OpenAPI document. */
export class Methods extends Core {
`)
	for i, op := range d.operations() {
		if i > 0 {
			b.WriteByte('\n')
		}
		typescriptMethod(&b, d, op)
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func typescriptMethod(b *strings.Builder, d document, o *operation) {
	about := oneLine(o.Summary) + ". " + oneLine(o.Description)
	fmt.Fprintf(b, "  /**\n   * %s\n   */\n", strings.ReplaceAll(wrapped(about, "   * ", 110), "*/", "* /"))
	members := d.members(o)
	var path, query, renamed []string
	required := o.Body != nil && o.Body.Required
	for _, m := range members {
		required = required || m.required
		switch m.in {
		case "path":
			path = append(path, fmt.Sprintf("%s: %q", m.parameter, m.name))
			if m.parameter != m.name {
				renamed = append(renamed, fmt.Sprintf("%s: %q", m.parameter, m.name))
			}
		case "query":
			query = append(query, fmt.Sprintf("%q", m.name))
		}
	}
	input := fmt.Sprintf("Input<%q", o.ID)
	if len(renamed) > 0 {
		input += ", { " + strings.Join(renamed, "; ") + " }"
	}
	input += ">"
	switch {
	case len(members) == 0:
		input = "input: Record<string, never> = {}"
	case !required:
		input = "input: " + input + " = {}"
	default:
		input = "input: " + input
	}
	_, isPage := d.page(o)
	options, call, result, more := "", "read", fmt.Sprintf("Promise<Read<%q>>", o.ID), ""
	switch {
	case o.isChange():
		options, more = ", options: ChangeOptions = {}", ", options"
		call, result = "change", fmt.Sprintf("Promise<Changed<%q>>", o.ID)
	case isPage:
		call, result = "list", fmt.Sprintf("AsyncIterableIterator<Entry<%q>>", o.ID)
	case o.ID == "get-operation":
		options, more = ", options: WaitOptions = {}", ", options"
	}
	fmt.Fprintf(b, "  %s(%s%s): %s {\n", camel(o.ID), input, options, result)
	fmt.Fprintf(b, "    return this.%s(\n      { method: %q, path: %q, inPath: {%s}, inQuery: [%s]%s },\n"+
		"      input%s,\n    );\n  }\n",
		call, o.method, o.path, spaced(strings.Join(path, ", ")), strings.Join(query, ", "), flags(o), more)
}

func spaced(s string) string {
	if s == "" {
		return s
	}
	return " " + s + " "
}

func flags(o *operation) string {
	var out string
	if o.Body != nil {
		out += ", hasBody: true"
	}
	if o.Responses["503"].Content["application/json"].Schema != nil {
		out += ", also: [503]"
	}
	if o.ID == "fill-gaps" {
		out += ", asks: true"
	}
	return out
}
