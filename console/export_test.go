package console

// Pages returns the patterns of all routes, such as "GET /customers/{id}".
func Pages() []string {
	var out []string
	for _, r := range append((&Console{}).routes(), schemaRoutes()...) {
		out = append(out, r.method+" "+r.path)
	}
	return out
}
