package config

import (
	"maps"
	"slices"
	"strings"
)

// Setting is one key as it is in force.
type Setting struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Source   string `json:"source"` // "duban.yaml:12", a variable, or "default"
	Variable string `json:"variable"`
	Doc      string `json:"doc"`
}

// Settings returns every key with its value and where it comes from, in the order of the sample. Passwords are not
// among them.
func (c Config) Settings() []Setting {
	var list []Setting
	for _, f := range c.everything() {
		if f.value == nil {
			continue
		}
		source := c.source(f.path)
		if source == "" {
			source = "default"
		}
		list = append(list, Setting{Key: f.path, Value: f.text(), Source: source, Variable: variable(f.path), Doc: f.doc})
	}
	return list
}

// everything is the table with each jurisdiction's rows after the common ones.
func (c *Config) everything() []field {
	all := c.fields()
	for _, code := range slices.Sorted(maps.Keys(c.Jurisdictions)) {
		j, m := c.Jurisdictions[code], c.MailOf(code)
		all = append(all, field{path: "jurisdictions." + code})
		all = append(all, j.fields("jurisdictions."+code)...)
		all = append(all, m.accountFields(accountPrefix(code))...)
	}
	return all
}

// own reports whether the row of a jurisdiction's mail, or one below it, was set there. The rows of other sections
// always count: only for mail would an inherited value mean something else where it is written out, a server of its own.
func (c *Config) own(path string) bool {
	rest, ok := strings.CutPrefix(path, "jurisdictions.")
	if _, rest, _ = strings.Cut(rest, "."); !ok || rest != "mail" && !strings.HasPrefix(rest, "mail.") {
		return true
	}
	for key := range c.origins {
		if key == path || strings.HasPrefix(key, path+".") {
			return true
		}
	}
	return false
}

// Sample returns a configuration file that documents every key and sets each to its default.
func Sample() string {
	c := Default()
	var b strings.Builder
	b.WriteString("# Configuration of duban. Every key is shown with its default; remove what you do not change.\n" +
		"# A variable overrides each key: DUBAN_MAIL_SMTP_HOST for mail.smtp.host. Relative paths are taken from the\n" +
		"# working directory. Passwords never stand in this file.\n")
	for _, f := range c.fields() {
		indent := strings.Repeat("  ", strings.Count(f.path, "."))
		if indent == "" {
			b.WriteString("\n")
		}
		for comment := range strings.SplitSeq(f.doc, "\n") {
			b.WriteString(indent + "# " + comment + "\n")
		}
		b.WriteString(indent + line(f) + "\n")
	}
	return b.String()
}

// line is the key with its value; a section has none, and jurisdictions starts empty.
func line(f field) string {
	key := f.path[strings.LastIndex(f.path, ".")+1:] + ":"
	switch {
	case f.path == "jurisdictions":
		return key + " {}"
	case f.value == nil:
		return key
	}
	return key + " " + f.yaml()
}

// Print returns the configuration in force as YAML, each value that is not a default followed by its source. Of a
// jurisdiction's mail it shows what is not inherited.
// Passwords are shown only as being set. Load reads it back to the same configuration, but for the passwords.
func (c Config) Print() string {
	var b strings.Builder
	for _, f := range c.everything() {
		indent := strings.Repeat("  ", strings.Count(f.path, "."))
		switch {
		case !c.own(f.path):
			continue
		case f.path == "jurisdictions" && len(c.Jurisdictions) > 0:
			b.WriteString("jurisdictions:\n")
			continue
		case f.value == nil && strings.HasPrefix(f.path, "jurisdictions.") && strings.Count(f.path, ".") == 1:
			b.WriteString(indent + quote(f.path[len("jurisdictions."):]) + ":\n")
			continue
		}
		b.WriteString(indent + line(f))
		if s := c.source(f.path); s != "" && f.value != nil {
			b.WriteString("  # " + s)
		}
		b.WriteString("\n")
		b.WriteString(c.secretLine(f.path, indent))
	}
	return b.String()
}

// secretLine says, below password_env and below the smtp of a jurisdiction with a password of its own, that a password
// is known.
func (c Config) secretLine(path, indent string) string {
	known := false
	switch path {
	case "database.password_env":
		known = c.Database.Password != ""
	case "mail.smtp.password_env":
		known = c.Mail.SMTP.Password != ""
	default:
		if strings.HasPrefix(path, "jurisdictions.") && strings.HasSuffix(path, ".mail.smtp") {
			_, known = c.origins[path+".password"]
			indent += "  "
		}
	}
	if known {
		return indent + "# password: " + redacted + "\n"
	}
	return ""
}
