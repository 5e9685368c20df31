package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Problem is something that is wrong with blocks, a view or a message.
type Problem struct {
	Pointer string `json:"pointer"` // JSON pointer: /view/blocks/0/text
	Code    string `json:"code"`
	Message string `json:"message"`
}

// String is the problem as it stands in response_metadata.messages.
func (p Problem) String() string {
	return "[ERROR] " + p.Message + " [json-pointer:" + p.Pointer + "]"
}

func lines(list []Problem) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

// The surfaces that blocks stand on.
const (
	onMessage = "message"
	onModal   = "modal"
	onHome    = "home"
)

const (
	messageTotal = 13200      // of the text of all blocks of a message
	textCap      = 40000      // of a message's text, which is cut there
	updateCap    = 4000       // of the text of chat.update
	viewCap      = 250 * 1024 // of a view
)

// size is how long a text is: in UTF-16 units, never less than characters.
func size(t string) int { return len(utf16.Encode([]rune(t))) }

type checker struct {
	problems  []Problem
	surface   string
	newBlocks bool
	blockIDs  map[string]bool
	focus     int
	inputs    int
	total     int // text of all blocks
}

// CheckBlocks is what is wrong with blocks on a surface: "message", "modal" or "home". blocks is JSON.
func CheckBlocks(surface, blocks string) []Problem {
	var v any
	if err := json.Unmarshal([]byte(blocks), &v); err != nil {
		return []Problem{{"/blocks", "invalid_json", err.Error()}}
	}
	k := checker{surface: surface, blockIDs: map[string]bool{}}
	k.blocks("/blocks", v)
	return k.problems
}

// CheckView is what is wrong with a modal or Home. view is JSON.
func CheckView(view string) []Problem {
	var v any
	if err := json.Unmarshal([]byte(view), &v); err != nil {
		return []Problem{{"/view", "invalid_json", err.Error()}}
	}
	return checkView(v, false)
}

// CheckMessage is what is wrong with a message: text, blocks, attachments and metadata. message is JSON.
func CheckMessage(message string) []Problem {
	var v any
	if err := json.Unmarshal([]byte(message), &v); err != nil {
		return []Problem{{"/message", "invalid_json", err.Error()}}
	}
	return checkMessage(v, false)
}

func checkMessage(v any, newBlocks bool) []Problem {
	k := checker{surface: onMessage, newBlocks: newBlocks, blockIDs: map[string]bool{}}
	m := k.object("/message", v)
	if m == nil {
		return k.problems
	}
	t := str(m["text"])
	if m["text"] != nil {
		if _, ok := m["text"].(string); !ok {
			k.add("/message/text", "invalid_type", "must be a string")
		}
	}
	if size(t) > textCap {
		k.add("/message/text", "too_long", "must be less than %d characters", textCap+1)
	}
	if m["blocks"] != nil {
		k.blocks("/message/blocks", m["blocks"])
	}
	if m["attachments"] != nil {
		k.attachments("/message/attachments", m["attachments"])
	}
	if t == "" && m["blocks"] == nil && m["attachments"] == nil {
		k.add("/message", "no_text", "must have text, blocks or attachments")
	}
	if k.total > messageTotal {
		k.add("/message/blocks", "msg_blocks_too_long", "all text together is %d characters", k.total)
	}
	if md := m["metadata"]; md != nil && !goodMetadata(md) {
		k.add("/message/metadata", "invalid_metadata_format", "must have event_type and event_payload")
	}
	return k.problems
}

func goodMetadata(v any) bool {
	o, _ := v.(obj)
	_, ok := o["event_payload"].(obj)
	return str(o["event_type"]) != "" && ok && len(o) == 2
}

func (k *checker) add(at, code, format string, a ...any) {
	k.problems = append(k.problems, Problem{at, code, fmt.Sprintf(format, a...)})
}

// object is v, which must be an object.
func (k *checker) object(at string, v any) obj {
	o, ok := v.(obj)
	if !ok {
		k.add(at, "invalid_type", "must be an object")
		return nil
	}
	return o
}

// keys are those that an object must and may have; nil counts as not there.
func (k *checker) keys(at string, o obj, must, may string) {
	need := strings.Fields(must)
	all := append(strings.Fields(may), need...)
	for _, n := range need {
		if o[n] == nil {
			k.add(at, "missing_field", "missing required field: %s", n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(all, n) && o[n] != nil {
			k.add(at+"/"+n, "unknown_field", "no more properties allowed: %s", n)
		}
	}
}

// words is a string within its limits, if it is there.
func (k *checker) words(at string, v any, least, most int) string {
	if v == nil {
		return ""
	}
	t, ok := v.(string)
	switch n := size(t); {
	case !ok:
		k.add(at, "invalid_type", "must be a string")
	case n < least:
		k.add(at, "too_short", "must be more than %d characters", least-1)
	case n > most:
		k.add(at, "too_long", "must be less than %d characters", most+1)
	}
	return t
}

func (k *checker) truth(at string, o obj, names ...string) {
	for _, n := range names {
		if v, ok := o[n].(bool); o[n] != nil && !ok {
			k.add(at+"/"+n, "invalid_type", "must be a boolean, not %v", v)
		}
	}
}

func (k *checker) oneOf(at string, v any, any ...string) {
	if v != nil && !slices.Contains(any, str(v)) {
		k.add(at, "invalid_value", "must be one of %s", strings.Join(any, ", "))
	}
}

// whole is a whole number within its limits, if it is there.
func (k *checker) whole(at string, v any, least, most int) (n int, ok bool) {
	if v == nil {
		return 0, false
	}
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || f < float64(least) || f > float64(most) {
		k.add(at, "invalid_value", "must be a whole number from %d to %d", least, most)
		return 0, false
	}
	return int(f), true
}

// text is a text object.
func (k *checker) text(at string, v any, plain bool, most int) {
	if v == nil {
		return
	}
	o := k.object(at, v)
	if o == nil {
		return
	}
	switch str(o["type"]) {
	case "plain_text":
		k.keys(at, o, "type text", "emoji")
	case "mrkdwn":
		k.keys(at, o, "type text", "verbatim")
		if plain {
			k.add(at+"/type", "invalid_value", "must be plain_text")
		}
	default:
		k.add(at+"/type", "invalid_value", "must be plain_text or mrkdwn")
	}
	k.truth(at, o, "emoji", "verbatim")
	k.total += size(k.words(at+"/text", o["text"], 1, most))
}

// list is an array with so many items.
func (k *checker) list(at string, v any, least, most int) []any {
	l, ok := v.([]any)
	switch {
	case v == nil && least == 0:
	case !ok:
		k.add(at, "invalid_type", "must be an array")
	case len(l) < least:
		k.add(at, "too_few", "must have at least %d items", least)
	case len(l) > most:
		k.add(at, "too_many", "no more than %d items allowed", most)
	}
	return l
}

// blocks is a list of blocks.
func (k *checker) blocks(at string, v any) {
	most := 100
	if k.surface == onMessage {
		most = 50
	}
	for i, b := range k.list(at, v, 0, most) {
		k.block(at+"/"+strconv.Itoa(i), b)
	}
}

// rolledOut are blocks that not every workspace has.
var rolledOut = map[string]string{
	"alert": onModal, "table": onMessage, "data_table": onMessage, "data_visualization": onMessage, "card": onMessage, "carousel": onMessage,
	"task_card": onMessage, "plan": onMessage, "context_actions": onMessage, "container": onMessage,
}

func (k *checker) block(at string, v any) {
	o := k.object(at, v)
	if o == nil {
		return
	}
	if id := k.words(at+"/block_id", o["block_id"], 1, 255); id != "" {
		if k.blockIDs[id] {
			k.add(at+"/block_id", "duplicate_block_id", "`block_id` already exists")
		}
		k.blockIDs[id] = true
	}
	kind := str(o["type"])
	switch kind {
	case "section":
		k.keys(at, o, "type", "block_id text fields accessory expand")
		k.truth(at, o, "expand")
		if o["text"] == nil && o["fields"] == nil {
			k.add(at, "missing_field", "must have text or fields")
		}
		k.text(at+"/text", o["text"], false, 3000)
		if o["fields"] != nil {
			for i, f := range k.list(at+"/fields", o["fields"], 1, 10) {
				k.text(fmt.Sprintf("%s/fields/%d", at, i), f, false, 2000)
			}
		}
		if o["accessory"] != nil {
			k.element(at+"/accessory", o["accessory"], kind, map[string]bool{})
		}
	case "header":
		k.keys(at, o, "type text", "block_id level")
		k.text(at+"/text", o["text"], true, 150)
		k.whole(at+"/level", o["level"], 1, 4)
	case "divider":
		k.keys(at, o, "type", "block_id")
	case "context":
		k.keys(at, o, "type elements", "block_id")
		for i, e := range k.list(at+"/elements", o["elements"], 1, 10) {
			p := fmt.Sprintf("%s/elements/%d", at, i)
			if x, _ := e.(obj); x != nil && str(x["type"]) == "image" {
				k.image(p, x, "")
			} else {
				k.text(p, e, false, 3000)
			}
		}
	case "actions":
		k.keys(at, o, "type elements", "block_id")
		ids := map[string]bool{}
		for i, e := range k.list(at+"/elements", o["elements"], 1, 25) {
			k.element(fmt.Sprintf("%s/elements/%d", at, i), e, kind, ids)
		}
	case "input":
		k.inputs++
		k.keys(at, o, "type label element", "block_id hint optional dispatch_action")
		k.truth(at, o, "optional", "dispatch_action")
		k.text(at+"/label", o["label"], true, 2000)
		k.text(at+"/hint", o["hint"], true, 2000)
		if o["element"] != nil {
			k.element(at+"/element", o["element"], kind, map[string]bool{})
		}
	case "image":
		k.image(at, o, "block_id title")
		k.text(at+"/title", o["title"], true, 2000)
	case "rich_text":
		k.keys(at, o, "type elements", "block_id")
		for i, e := range k.list(at+"/elements", o["elements"], 0, math.MaxInt) {
			k.rich(fmt.Sprintf("%s/elements/%d", at, i), e)
		}
	case "video":
		k.keys(at, o, "type alt_text title thumbnail_url video_url", "block_id author_name description provider_icon_url provider_name title_url")
		k.text(at+"/title", o["title"], true, 200)
	case "markdown":
		k.keys(at, o, "type text", "block_id")
		k.total += size(k.words(at+"/text", o["text"], 1, 12000))
		if k.surface != onMessage {
			k.add(at+"/type", "unsupported_surface", "unsupported type: markdown")
		}
	case "file":
		k.add(at+"/type", "invalid_value", "file blocks cannot be sent")
	default:
		surface, known := rolledOut[kind]
		switch {
		case !known:
			k.add(at+"/type", "unsupported_type", "unsupported type: %s", kind)
		case !k.newBlocks || surface != k.surface:
			k.add(at+"/type", "unsupported_surface", "unsupported type: %s", kind)
		}
	}
}

func (k *checker) image(at string, o obj, more string) {
	k.keys(at, o, "type alt_text", "image_url slack_file "+more)
	if (o["image_url"] == nil) == (o["slack_file"] == nil) {
		k.add(at, "missing_field", "must have image_url or slack_file")
	}
	k.words(at+"/image_url", o["image_url"], 1, 3000)
	k.words(at+"/alt_text", o["alt_text"], 1, 2000)
}

// where is which elements stand in which blocks.
var where = map[string][]string{
	"button": {"section", "actions"}, "workflow_button": {"section", "actions"}, "overflow": {"section", "actions"}, "image": {"section"},
	"checkboxes": {"section", "actions", "input"}, "radio_buttons": {"section", "actions", "input"},
	"datepicker": {"section", "actions", "input"}, "timepicker": {"section", "actions", "input"}, "datetimepicker": {"actions", "input"},
	"static_select": {"section", "actions", "input"}, "external_select": {"section", "actions", "input"},
	"users_select": {"section", "actions", "input"}, "conversations_select": {"section", "actions", "input"},
	"channels_select": {"section", "actions", "input"}, "multi_static_select": {"section", "input"},
	"multi_external_select": {"section", "input"}, "multi_users_select": {"section", "input"},
	"multi_conversations_select": {"section", "input"}, "multi_channels_select": {"section", "input"},
	"plain_text_input": {"input"}, "email_text_input": {"input"}, "url_text_input": {"input"}, "number_input": {"input"},
	"rich_text_input": {"input"}, "file_input": {"input"},
}

var (
	dateForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	timeForm = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
)

// element is an interactive element in a block of this kind; ids are those of the elements before it.
func (k *checker) element(at string, v any, in string, ids map[string]bool) {
	o := k.object(at, v)
	if o == nil {
		return
	}
	kind := str(o["type"])
	places, known := where[kind]
	if !known || !slices.Contains(places, in) {
		k.add(at+"/type", "unsupported_type", "unsupported type: %s in %s", kind, in)
		return
	}
	if kind == "image" {
		k.image(at, o, "")
		return
	}
	if id := k.words(at+"/action_id", o["action_id"], 1, 255); id != "" {
		if ids[id] {
			k.add(at+"/action_id", "duplicate_action_id", "`action_id` already exists")
		}
		ids[id] = true
	}
	base := "type action_id "
	if kind != "button" && kind != "workflow_button" && kind != "overflow" {
		base += "focus_on_load "
		k.truth(at, o, "focus_on_load")
		if o["focus_on_load"] == true {
			if k.focus++; k.focus > 1 {
				k.add(at+"/focus_on_load", "invalid_value", "only one element can have focus")
			}
		}
	}
	if o["placeholder"] != nil {
		k.text(at+"/placeholder", o["placeholder"], true, 150)
	}
	if o["confirm"] != nil {
		if in == "input" {
			k.add(at+"/confirm", "unknown_field", "an input has no confirm")
		}
		k.confirm(at+"/confirm", o["confirm"])
	}
	switch kind {
	case "button", "workflow_button":
		k.keys(at, o, "type text", "action_id url value style confirm accessibility_label workflow")
		k.text(at+"/text", o["text"], true, 75)
		k.words(at+"/url", o["url"], 1, 3000)
		k.words(at+"/value", o["value"], 0, 2000)
		k.words(at+"/accessibility_label", o["accessibility_label"], 1, 75)
		k.oneOf(at+"/style", o["style"], "primary", "danger")
	case "overflow":
		k.keys(at, o, "type options", "action_id confirm")
		k.options(at+"/options", o["options"], 5, true, true)
	case "checkboxes", "radio_buttons":
		k.keys(at, o, "type options", base+"initial_options initial_option confirm")
		all := k.options(at+"/options", o["options"], 10, false, false)
		k.initial(at, o, all, kind == "checkboxes")
	case "static_select", "multi_static_select":
		k.keys(at, o, "type", base+"options option_groups placeholder initial_option initial_options confirm max_selected_items")
		all := k.menu(at, o)
		k.initial(at, o, all, kind != "static_select")
		k.whole(at+"/max_selected_items", o["max_selected_items"], 1, 100)
	case "external_select", "multi_external_select":
		k.keys(at, o, "type", base+"placeholder initial_option initial_options min_query_length confirm max_selected_items")
	case "users_select", "channels_select", "conversations_select", "multi_users_select", "multi_channels_select", "multi_conversations_select":
		k.keys(at, o, "type", base+"placeholder initial_user initial_users initial_channel initial_channels initial_conversation initial_conversations "+
			"default_to_current_conversation response_url_enabled filter confirm max_selected_items")
		if o["response_url_enabled"] != nil && (in != "input" || k.surface != onModal) {
			k.add(at+"/response_url_enabled", "unknown_field", "only in an input of a modal")
		}
	case "datepicker":
		k.keys(at, o, "type", base+"placeholder initial_date confirm")
		if d := o["initial_date"]; d != nil && !dateForm.MatchString(str(d)) {
			k.add(at+"/initial_date", "invalid_value", "must be YYYY-MM-DD")
		}
	case "timepicker":
		k.keys(at, o, "type", base+"placeholder initial_time confirm timezone")
		if d := o["initial_time"]; d != nil && !timeForm.MatchString(str(d)) {
			k.add(at+"/initial_time", "invalid_value", "must be HH:mm")
		}
	case "datetimepicker":
		k.keys(at, o, "type", base+"initial_date_time confirm")
		k.whole(at+"/initial_date_time", o["initial_date_time"], 1e9, 9999999999)
	case "plain_text_input":
		k.keys(at, o, "type", base+"initial_value multiline min_length max_length placeholder dispatch_action_config")
		k.truth(at, o, "multiline")
		least, _ := k.whole(at+"/min_length", o["min_length"], 0, 3000)
		most, ok := k.whole(at+"/max_length", o["max_length"], 1, 3000)
		if ok && least > most {
			k.add(at+"/min_length", "invalid_value", "must not be more than max_length")
		}
		if !ok {
			most = 3000
		}
		k.words(at+"/initial_value", o["initial_value"], 0, most)
	case "email_text_input", "url_text_input":
		k.keys(at, o, "type", base+"initial_value placeholder dispatch_action_config")
	case "number_input":
		k.keys(at, o, "type is_decimal_allowed", base+"initial_value min_value max_value placeholder dispatch_action_config")
		k.truth(at, o, "is_decimal_allowed")
	case "rich_text_input":
		k.keys(at, o, "type", base+"initial_value placeholder dispatch_action_config")
	case "file_input":
		k.keys(at, o, "type", base+"filetypes max_files")
		k.whole(at+"/max_files", o["max_files"], 1, 10)
		if k.surface != onModal {
			k.add(at+"/type", "unsupported_surface", "unsupported type: file_input")
		}
	}
}

func (k *checker) confirm(at string, v any) {
	o := k.object(at, v)
	if o == nil {
		return
	}
	k.keys(at, o, "title text confirm deny", "style")
	k.text(at+"/title", o["title"], true, 100)
	k.text(at+"/text", o["text"], false, 300)
	k.text(at+"/confirm", o["confirm"], true, 30)
	k.text(at+"/deny", o["deny"], true, 30)
	k.oneOf(at+"/style", o["style"], "primary", "danger")
}

// options is a list of options; it returns them as JSON.
func (k *checker) options(at string, v any, most int, plain, links bool) (all []string) {
	values := map[string]bool{}
	for i, x := range k.list(at, v, 1, most) {
		p := fmt.Sprintf("%s/%d", at, i)
		o := k.object(p, x)
		if o == nil {
			continue
		}
		may := "description"
		if links {
			may += " url"
		}
		k.keys(p, o, "text value", may)
		k.text(p+"/text", o["text"], plain, 75)
		value := k.words(p+"/value", o["value"], 1, 150)
		k.text(p+"/description", o["description"], plain, 75)
		k.words(p+"/url", o["url"], 1, 3000)
		if values[value] {
			k.add(p+"/value", "duplicate_value", "the value is there already")
		}
		values[value] = true
		all = append(all, sameOption(o))
	}
	return all
}

// sameOption is what two options have in common when they are the same one.
func sameOption(o obj) string {
	t, _ := o["text"].(obj)
	d, _ := o["description"].(obj)
	return text([]any{t["type"], t["text"], o["value"], d["text"]})
}

func (k *checker) menu(at string, o obj) (all []string) {
	if (o["options"] == nil) == (o["option_groups"] == nil) {
		k.add(at, "missing_field", "must have options or option_groups, not both")
		return nil
	}
	if o["options"] != nil {
		return k.options(at+"/options", o["options"], 100, true, false)
	}
	for i, x := range k.list(at+"/option_groups", o["option_groups"], 1, 100) {
		p := fmt.Sprintf("%s/option_groups/%d", at, i)
		if g := k.object(p, x); g != nil {
			k.keys(p, g, "label options", "")
			k.text(p+"/label", g["label"], true, 75)
			all = append(all, k.options(p+"/options", g["options"], 100, true, false)...)
		}
	}
	return all
}

// initial is the choice that is there at first: it must be one of the options, to the letter.
func (k *checker) initial(at string, o obj, all []string, many bool) {
	name, list := "initial_option", []any{o["initial_option"]}
	other := "initial_options"
	if many {
		name, other = other, name
		list = nil
		if o[name] != nil {
			list = k.list(at+"/"+name, o[name], 1, math.MaxInt)
		}
	}
	if o[other] != nil {
		k.add(at+"/"+other, "unknown_field", "no more properties allowed: %s", other)
	}
	for _, x := range list {
		if x == nil {
			continue
		}
		if i, _ := x.(obj); i == nil || !slices.Contains(all, sameOption(i)) {
			k.add(at+"/"+name, "invalid_value", "must be one of the options")
		}
	}
}

// rich is a part of a rich_text block.
func (k *checker) rich(at string, v any) {
	o := k.object(at, v)
	if o == nil {
		return
	}
	kind := str(o["type"])
	switch kind {
	case "rich_text_section":
		k.keys(at, o, "type elements", "")
	case "rich_text_quote":
		k.keys(at, o, "type elements", "border")
	case "rich_text_preformatted":
		k.keys(at, o, "type elements", "border language")
	case "rich_text_list":
		k.keys(at, o, "type elements style", "indent offset border")
		k.oneOf(at+"/style", o["style"], "bullet", "ordered")
		for i, e := range k.list(at+"/elements", o["elements"], 0, math.MaxInt) {
			p := fmt.Sprintf("%s/elements/%d", at, i)
			if x, _ := e.(obj); x == nil || str(x["type"]) != "rich_text_section" {
				k.add(p, "invalid_value", "must be a rich_text_section")
				continue
			}
			k.rich(p, e)
		}
		return
	default:
		k.add(at+"/type", "unsupported_type", "unsupported type: %s", kind)
		return
	}
	for i, e := range k.list(at+"/elements", o["elements"], 0, math.MaxInt) {
		p := fmt.Sprintf("%s/elements/%d", at, i)
		if x := k.object(p, e); x != nil {
			k.leaf(p, x, kind)
		}
	}
}

func (k *checker) leaf(at string, o obj, in string) {
	if st := o["style"]; st != nil {
		if x := k.object(at+"/style", st); x != nil {
			k.keys(at+"/style", x, "", "bold italic strike underline code highlight client_highlight unlink")
		}
	}
	kind := str(o["type"])
	if in == "rich_text_preformatted" && kind != "text" && kind != "link" {
		k.add(at+"/type", "unsupported_type", "unsupported type: %s in %s", kind, in)
		return
	}
	switch kind {
	case "text":
		k.keys(at, o, "type text", "style")
		k.total += size(k.words(at+"/text", o["text"], 1, math.MaxInt))
	case "link":
		k.keys(at, o, "type url", "text style unsafe")
		k.words(at+"/url", o["url"], 1, 3000)
		k.total += size(str(o["text"]))
	case "emoji":
		k.keys(at, o, "type name", "unicode style")
	case "user":
		k.keys(at, o, "type user_id", "style")
	case "channel":
		k.keys(at, o, "type channel_id", "style")
	case "usergroup":
		k.keys(at, o, "type usergroup_id", "style")
	case "broadcast":
		k.keys(at, o, "type range", "style")
		k.oneOf(at+"/range", o["range"], "here", "channel", "everyone")
	case "date":
		k.keys(at, o, "type timestamp format", "url fallback style")
	case "color":
		k.keys(at, o, "type value", "style")
	default:
		k.add(at+"/type", "unsupported_type", "unsupported type: %s", kind)
	}
}

// attachments is the old kind of blocks, with blocks in it.
func (k *checker) attachments(at string, v any) {
	for i, x := range k.list(at, v, 0, 100) {
		p := fmt.Sprintf("%s/%d", at, i)
		o := k.object(p, x)
		if o == nil {
			continue
		}
		k.keys(p, o, "", "blocks fallback color pretext author_name author_link author_icon author_subname author_id title title_link text fields "+
			"image_url thumb_url footer footer_icon ts mrkdwn_in callback_id id actions service_name service_icon from_url original_url")
		if o["blocks"] != nil {
			k.blocks(p+"/blocks", o["blocks"])
		}
	}
}

func checkView(v any, newBlocks bool) []Problem {
	k := checker{newBlocks: newBlocks, blockIDs: map[string]bool{}}
	o := k.object("/view", v)
	if o == nil {
		return k.problems
	}
	switch k.surface = str(o["type"]); k.surface {
	case onModal:
		k.keys("/view", o, "type title blocks", "submit close private_metadata callback_id external_id clear_on_close notify_on_close submit_disabled")
		k.text("/view/title", o["title"], true, 24)
		k.text("/view/submit", o["submit"], true, 24)
		k.text("/view/close", o["close"], true, 24)
		k.truth("/view", o, "clear_on_close", "notify_on_close", "submit_disabled")
	case onHome:
		k.keys("/view", o, "type blocks", "private_metadata callback_id external_id")
	default:
		k.add("/view/type", "invalid_value", "must be modal or home")
		return k.problems
	}
	k.blocks("/view/blocks", o["blocks"])
	if k.inputs > 0 && k.surface == onModal && o["submit"] == nil {
		k.add("/view", "missing_field", "`submit` is required with input blocks")
	}
	k.words("/view/private_metadata", o["private_metadata"], 0, 3000)
	k.words("/view/callback_id", o["callback_id"], 0, 255)
	k.words("/view/external_id", o["external_id"], 0, 255)
	return k.problems
}

// finish is blocks as the server keeps them: with all ids, and the switches of texts.
func finish(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = finish(e)
		}
		return out
	case obj:
		out := obj{}
		for k, e := range x {
			if e != nil {
				out[k] = finish(e)
			}
		}
		switch kind := str(out["type"]); {
		case kind == "plain_text" && out["emoji"] == nil:
			out["emoji"] = true
		case kind == "mrkdwn" && out["verbatim"] == nil:
			out["verbatim"] = false
		case where[kind] != nil && (kind != "image") && out["action_id"] == nil:
			out["action_id"] = random(5)
		}
		return out
	}
	return v
}

// finishBlocks is finish for a list of blocks, which have ids too.
func finishBlocks(list []any) []any {
	if list == nil {
		return nil
	}
	out := finish(list).([]any)
	for _, b := range out {
		if o, _ := b.(obj); o != nil && str(o["block_id"]) == "" {
			o["block_id"] = random(5)
		}
	}
	return out
}

func blocksValidate(s *Server, c *call) (obj, *fail) {
	if len(c.args) != 1 {
		return nil, detailed("invalid_arguments", "[ERROR] one of blocks, view and message")
	}
	var list []Problem
	for name := range c.args {
		if size(c.str(name)) > 100000 {
			return nil, detailed("invalid_arguments", "[ERROR] "+name+" is longer than 100000 characters")
		}
		v, ok := c.json(name)
		switch {
		case !ok:
			return nil, detailed("invalid_arguments", "[ERROR] "+name+" is no JSON")
		case name == "blocks":
			k := checker{surface: onMessage, newBlocks: s.settings.NewBlocks, blockIDs: map[string]bool{}}
			k.blocks("/blocks", v)
			list = k.problems
		case name == "view":
			list = checkView(v, s.settings.NewBlocks)
			if len(c.str(name)) > viewCap {
				list = append(list, Problem{"/view", "view_too_large", "must be less than 250 kB"})
			}
		default:
			list = checkMessage(v, s.settings.NewBlocks)
		}
	}
	if len(list) > 0 {
		return nil, &fail{"invalid_blocks", obj{"errors": list, "response_metadata": obj{"messages": lines(list)}}}
	}
	return obj{"errors": []Problem{}}, nil
}
