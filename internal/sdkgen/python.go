package sdkgen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const pythonHead = "# Generated from the OpenAPI document by `make generate`. Do not edit.\n"

// isPlumbing reports whether a component is a form of Operation or of a page, for which the client has its own types.
func (d document) isPlumbing(name string, s *schema) bool {
	return name == "Operation" || name == "AcceptedOperation" || name == "Problem" || strings.HasPrefix(name, "ListOf") ||
		s.Properties["operation_id"] != nil && s.Properties["workflow"] != nil && s.Properties["result"] != nil
}

func pythonModels(d document) []byte {
	var b strings.Builder
	b.WriteString(pythonHead + `"""The types of the vault, as in its OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Union
from uuid import UUID
`)
	names := slices.Sorted(maps.Keys(d.Components.Schemas))
	for _, name := range names {
		if s := d.Components.Schemas[name]; len(s.Enum) > 0 {
			b.WriteString("\n" + name + " = Literal[\n")
			for _, word := range s.Enum {
				fmt.Fprintf(&b, "    %q,\n", word)
			}
			b.WriteString("]\n")
		}
	}
	var aliases []string
	for _, name := range names {
		s := d.Components.Schemas[name]
		switch {
		case len(s.Enum) > 0 || d.isPlumbing(name, s):
		case len(s.AllOf) > 0:
			aliases = append(aliases, name+" = "+s.target())
		case len(s.OneOf) > 0:
			var forms []string
			for _, form := range s.OneOf {
				forms = append(forms, form.target())
			}
			aliases = append(aliases, name+" = Union["+strings.Join(forms, ", ")+"]")
		default:
			pythonClass(&b, d, name, s)
		}
	}
	if len(aliases) > 0 {
		b.WriteString("\n\n" + strings.Join(aliases, "\n") + "\n")
	}
	b.WriteString("\n# The types of the results of operations, by workflow.\nRESULTS: dict[str, Any] = {\n")
	for _, form := range d.Components.Schemas["Operation"].OneOf {
		s := d.Components.Schemas[form.target()]
		fmt.Fprintf(&b, "    %q: %s,\n", s.Properties["workflow"].Enum[0], pythonType(d, s.Properties["result"]))
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func pythonClass(b *strings.Builder, d document, name string, s *schema) {
	b.WriteString("\n\n@dataclass(kw_only=True)\nclass " + name + ":\n")
	about := s.Description
	if about == "" {
		about = name + " of the vault."
	}
	b.WriteString("    \"\"\"" + wrapped(about, "    ", 100) + "\"\"\"\n")
	for _, required := range []bool{true, false} {
		for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
			if slices.Contains(s.Required, member) != required {
				continue
			}
			p := s.Properties[member]
			b.WriteString("\n    " + member + ": " + pythonType(d, p))
			switch {
			case required && len(p.Enum) == 1 && p.Ref == "":
				fmt.Fprintf(b, " = %q", p.Enum[0])
			case !required:
				b.WriteString(" | None = None")
			}
			b.WriteString("\n")
			if p.Description != "" {
				b.WriteString("    # " + wrapped(p.Description, "    # ", 100) + "\n")
			}
		}
	}
}

func pythonType(d document, s *schema) string {
	if name := s.target(); name != "" {
		name, _ = d.resolve(name)
		return name
	}
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, word := range s.Enum {
			words[i] = fmt.Sprintf("%q", word)
		}
		return "Literal[" + strings.Join(words, ", ") + "]"
	case s.Type == "string" && s.Format == "uuid":
		return "UUID"
	case s.Type == "string" && s.Format == "date-time":
		return "datetime"
	case s.Type == "string":
		return "str"
	case s.Type == "integer":
		return "int"
	case s.Type == "number":
		return "float"
	case s.Type == "boolean":
		return "bool"
	case s.Type == "array":
		return "list[" + pythonType(d, s.Items) + "]"
	case s.Type == "object" && s.values() != nil:
		return "dict[str, " + pythonType(d, s.values()) + "]"
	case s.Type == "object":
		return "dict[str, Any]"
	}
	return "Any"
}

// pythonInput is the type of an argument: ids and times may be texts.
func pythonInput(d document, s *schema) string {
	switch t := pythonType(d, s); t {
	case "UUID":
		return "Id"
	case "datetime":
		return "datetime | str"
	case "UUID | None", "Any", "str", "int", "float", "bool":
		return t
	default:
		if s.target() != "" || s.Items != nil && s.Items.target() != "" {
			return qualified(d, t)
		}
		return t
	}
}

// qualified puts the module before the names of models in a type.
func qualified(d document, t string) string {
	for name := range d.Components.Schemas {
		if t == name {
			return "m." + name
		}
		t = strings.ReplaceAll(t, "["+name+"]", "[m."+name+"]")
		t = strings.ReplaceAll(t, ", "+name+"]", ", m."+name+"]")
	}
	return t
}

func pythonErrors(d document) []byte {
	var b strings.Builder
	b.WriteString(pythonHead + `"""The errors of the vault: one class for each code."""

from __future__ import annotations

from ._problem import VaultError
`)
	codes := d.Components.Schemas["Problem"].Properties["code"].Enum
	for _, code := range codes {
		fmt.Fprintf(&b, "\n\nclass %sError(VaultError):\n    \"\"\"The vault answered with the code %s.\"\"\"\n",
			pascal(code), code)
	}
	b.WriteString("\n\nBY_CODE: dict[str, type[VaultError]] = {\n")
	for _, code := range codes {
		fmt.Fprintf(&b, "    %q: %sError,\n", code, pascal(code))
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func pythonMethods(d document) []byte {
	var b strings.Builder
	b.WriteString(pythonHead + `"""One method for each operation of the OpenAPI document, for both clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, AsyncIterator, Iterator, Literal, Union
from uuid import UUID

from . import models as m
from ._call import Call, Operation

Id = Union[UUID, str]

`)
	for _, op := range d.operations() {
		pythonCall(&b, d, op)
	}
	for _, async := range []bool{false, true} {
		name, about := "Methods", "The methods of Vault."
		if async {
			name, about = "AsyncMethods", "The methods of AsyncVault."
		}
		fmt.Fprintf(&b, "\n\nclass %s:\n    \"\"\"%s\"\"\"\n", name, about)
		for _, op := range d.operations() {
			pythonMethod(&b, d, op, async)
		}
	}
	return []byte(b.String())
}

func snake(id string) string { return strings.ReplaceAll(id, "-", "_") }

// pythonCall writes the description of a request.
func pythonCall(b *strings.Builder, d document, o *operation) {
	fmt.Fprintf(b, "_%s = Call(\n    name=%q,\n    method=%q,\n    path=%q,\n", snake(o.ID), snake(o.ID), o.method, o.path)
	var path, query []string
	for _, m := range d.members(o) {
		if m.in == "path" {
			path = append(path, fmt.Sprintf("%q: %q", m.parameter, m.name))
		}
		if m.in == "query" {
			query = append(query, fmt.Sprintf("%q", m.name))
		}
	}
	list := strings.Join(query, ", ")
	if len(query) == 1 {
		list += "," // a tuple
	}
	fmt.Fprintf(b, "    in_path={%s},\n    in_query=(%s),\n", strings.Join(path, ", "), list)
	if o.Body != nil {
		b.WriteString("    has_body=True,\n")
	}
	if o.method == "POST" && !o.isChange() {
		b.WriteString("    reads=True,\n")
	}
	var result string
	switch entries, isPage := d.page(o); {
	case o.isChange() && d.result(o) != nil:
		result = pythonType(d, d.result(o))
	case isPage && entries != nil:
		result = pythonType(d, entries)
	case o.ok() != nil:
		result = pythonType(d, o.ok())
	}
	if result != "" && result != "Operation" && !strings.HasPrefix(result, "Operation[") {
		b.WriteString("    result=" + qualified(d, result) + ",\n")
	}
	if other := o.Responses["503"].Content["application/json"].Schema; other != nil {
		b.WriteString("    also=(503,),\n")
	}
	if o.ID == "fill-gaps" {
		b.WriteString("    asks=True,\n")
	}
	b.WriteString(")\n")
}

func pythonMethod(b *strings.Builder, d document, o *operation, async bool) {
	entries, isPage := d.page(o)
	result := "None"
	switch {
	case o.isChange() && d.result(o) != nil:
		result = "Operation[" + qualified(d, pythonType(d, d.result(o))) + "]"
	case o.isChange() || o.ok() != nil && o.ok().target() == "Operation":
		result = "Operation[Any]"
	case isPage && entries != nil:
		result = qualified(d, pythonType(d, entries))
	case o.ok() != nil:
		result = qualified(d, pythonType(d, o.ok()))
	}
	if len(o.Responses["200"].Content) > 1 {
		result += " | str"
	}
	define, call := "def", "return self._call"
	switch {
	case isPage && async:
		result, call = "AsyncIterator["+result+"]", "return self._list"
	case isPage:
		result, call = "Iterator["+result+"]", "return self._list"
	case async:
		define, call = "async def", "return await self._call"
	}
	fmt.Fprintf(b, "\n    %s %s(\n        self,\n", define, snake(o.ID))
	members := d.members(o)
	if name := o.bodyName(); name != "" {
		fmt.Fprintf(b, "        body: m.%s | None = None,\n        /,\n        *,\n", name)
	} else {
		for _, in := range members {
			if in.required {
				fmt.Fprintf(b, "        %s: %s,\n", argument(in.name), pythonInput(d, in.schema))
			}
		}
		if slices.ContainsFunc(members, func(in member) bool { return !in.required }) || o.isChange() {
			b.WriteString("        *,\n")
		}
	}
	for _, in := range members {
		if o.Body != nil || !in.required {
			fmt.Fprintf(b, "        %s: %s | None = None,\n", argument(in.name), pythonInput(d, in.schema))
		}
	}
	if o.isChange() {
		b.WriteString("        wait: float | None = None,\n        idempotency_key: str | None = None,\n")
	} else if o.ID == "get-operation" {
		b.WriteString("        wait: float | None = None,\n")
	}
	fmt.Fprintf(b, "    ) -> %s:\n        \"\"\"%s.", result, oneLine(o.Summary))
	if o.Description != "" {
		b.WriteString("\n\n        " + wrapped(o.Description, "        ", 100) + "\n        ")
	}
	b.WriteString("\"\"\"\n")
	args := make([]string, 0, len(members))
	for _, in := range members {
		args = append(args, fmt.Sprintf("%q: %s", in.name, argument(in.name)))
	}
	body := "None"
	if o.Body != nil {
		body = "body"
	}
	wait, key := "None", "None"
	if o.isChange() || o.ID == "get-operation" {
		wait = "wait"
	}
	if o.isChange() {
		key = "idempotency_key"
	}
	fmt.Fprintf(b, "        members: dict[str, Any] = {%s}\n", wrapped(strings.Join(args, ", "), "            ", 100))
	if isPage {
		fmt.Fprintf(b, "        %s(_%s, members)\n", call, snake(o.ID))
		return
	}
	fmt.Fprintf(b, "        %s(_%s, %s, members, %s, %s)\n", call, snake(o.ID), body, wait, key)
}

// argument returns the name of an argument: a keyword of Python gets an underscore.
func argument(name string) string {
	keywords := []string{"from", "in", "is", "class", "global", "import", "not", "or", "and", "if", "for", "as"}
	if slices.Contains(keywords, name) {
		return name + "_"
	}
	return name
}
