package extract

import (
	"math"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// profile is what the definition of a target says about its values: the words of its name, display name, description,
// prompt and allowed values. A word weighs more the fewer of the agent's definitions have it, so the weights depend on
// all of them and on no list of nouns.
type profile struct {
	words map[string]float64 // stem to weight, from 0 (all definitions have the word) to 1 (only this one has it)
	own   text.WordSet       // stems that set the definition apart from most others
	sides text.WordSet       // senses of direction that the definition names: "depart", "checkout"
	side  side               // the side of a period or way that it means
}

// side is an end of a period or of a way.
type side int

const (
	noSide side = iota
	startSide
	endSide
)

// functionWords do not describe a definition.
var functionWords = text.NewWordSet(`a an and any are as at be been being by can could do does for from has have how i if
	in into is it its may me my not of off on or our out per shall should so some such that the their them there these
	they this those to up upon us was we were what when where whether which while who whom whose why will with would you
	your customer customers customer's user user's users boolean flag indicating indicates want wants wanted wish wishes
	like likes need needs desired desire preferred given about particular specific whole exact please tell provide enter
	give value field information info true false yes no`)

// senses are words that mean an end of a period or of a way. Definitions and sentences share them: "the flight back"
// is a "return", whatever the definition is called.
var senses = map[string]string{
	"depart": "depart", "departs": "depart", "departure": "depart", "departing": "depart", "leave": "depart",
	"leaves": "depart", "leaving": "depart", "left": "depart", "outbound": "depart", "outgoing": "depart",
	"onward": "depart", "outward": "depart", "fly": "depart", "go": "depart", "travel": "depart",
	"return": "return", "returns": "return", "returning": "return", "back": "return", "inbound": "return",
	"start": "start", "starts": "start", "starting": "start", "begin": "start", "begins": "start",
	"beginning": "start", "commence": "start", "commences": "start", "from": "start", "first": "start",
	"end": "end", "ends": "end", "ending": "end", "finish": "end", "finishes": "end", "last": "end", "until": "end",
	"till": "end", "til": "end", "through": "end", "thru": "end", "untill": "end",
	"arrive": "arrive", "arrives": "arrive", "arriving": "arrive", "arrival": "arrive", "reach": "arrive",
	"land": "arrive", "lands": "arrive", "landing": "arrive",
	"checkin": "checkin", "checkout": "checkout", "pickup": "pickup", "collect": "pickup", "collection": "pickup",
	"dropoff": "dropoff", "handover": "dropoff",
	"origin": "origin", "source": "origin", "destination": "goal", "recipient": "goal", "receiver": "goal",
	"payee": "goal", "beneficiary": "goal", "heading": "goal", "headed": "goal", "towards": "goal",
}

// sidesOf are the sides that the senses mean by themselves. "arrive" is the end of a way and the start of a stay.
var sidesOf = map[string]side{
	"depart": startSide, "start": startSide, "checkin": startSide, "pickup": startSide, "origin": startSide,
	"return": endSide, "end": endSide, "checkout": endSide, "dropoff": endSide, "goal": endSide,
}

// joined are two words that count as one.
var joined = map[string]string{
	"check in": "checkin", "checks in": "checkin", "checking in": "checkin", "checked in": "checkin",
	"check into": "checkin", "check out": "checkout", "checks out": "checkout", "checking out": "checkout",
	"move in": "checkin", "moving in": "checkin", "move out": "checkout", "moving out": "checkout",
	"pick up": "pickup", "picks up": "pickup", "picking up": "pickup", "picked up": "pickup",
	"pick it": "pickup", "get it": "pickup", "drop off": "dropoff", "drops off": "dropoff", "dropping off": "dropoff",
	"drop it": "dropoff", "dropped off": "dropoff", "return it": "dropoff", "returning it": "dropoff",
	"bring it": "dropoff", "bed rooms": "bedrooms", "bed room": "bedroom", "bath rooms": "bathrooms",
	"bath room": "bathroom", "zip code": "zipcode", "post code": "postcode", "e mail": "email",
}

// joinWords replaces pairs of words by the word that they count as.
func joinWords(parts []string) []string {
	out := make([]string, 0, len(parts))
	for i := 0; i < len(parts); i++ {
		if i+1 < len(parts) {
			if one, ok := joined[parts[i]+" "+parts[i+1]]; ok {
				out = append(out, one)
				i++
				continue
			}
		}
		out = append(out, parts[i])
	}
	return out
}

// sensesIn returns the senses of direction of words.
func sensesIn(parts []string) text.WordSet {
	out := text.WordSet{}
	for _, w := range joinWords(parts) {
		if s, ok := senses[w]; ok {
			out[s] = true
		}
	}
	return out
}

// definitionWords returns the words of the whole definition, without function words.
func definitionWords(d vault.Definition) []string {
	parts := text.Words(strings.Join([]string{
		vault.DisplayName(d.Name), d.DisplayName, d.Description, d.CollectionPrompt,
	}, " . "))
	return joinWords(parts)
}

// setProfiles computes the profiles of all targets, each against the others.
func setProfiles(targets []target) {
	counts := map[string]int{}
	stems := make([][]string, len(targets))
	for i, t := range targets {
		seen := text.WordSet{}
		for _, w := range definitionWords(t.def) {
			if s := text.Stem(w); !functionWords[w] && !seen[s] {
				seen[s] = true
				stems[i] = append(stems[i], s)
				counts[s]++
			}
		}
	}
	n := float64(len(targets))
	for i := range targets {
		p := profile{words: map[string]float64{}, own: text.WordSet{}}
		for _, s := range stems[i] {
			weight := 1.0
			if n > 1 {
				weight = math.Log(n/float64(counts[s])) / math.Log(n)
			}
			p.words[s] = weight
			if weight >= ownWeight && !formWords[s] {
				p.own[s] = true
			}
		}
		name := joinWords(text.Words(vault.DisplayName(targets[i].def.Name) + " . " + targets[i].def.DisplayName))
		p.sides = sensesIn(name)
		if slices.Contains(name, "from") {
			p.sides["origin"] = true
		}
		if slices.Contains(name, "to") {
			p.sides["goal"] = true
		}
		p.side = sideOf(p.sides, targets[i].kind)
		if p.side == noSide {
			described := sensesIn(text.Words(targets[i].def.Description + " " + targets[i].def.CollectionPrompt))
			if side := sideOf(described, targets[i].kind); side != noSide {
				p.sides, p.side = described, side
			}
		}
		targets[i].profile = p
	}
	setStay(targets)
}

// setStay gives days of arrival and departure the sides of a stay, if the agent has no way back and no place to leave from.
func setStay(targets []target) {
	has := func(k text.Kind, sense string) bool {
		return slices.ContainsFunc(targets, func(t target) bool { return t.kind == k && t.profile.sides[sense] })
	}
	way := slices.ContainsFunc(targets, func(t target) bool {
		return t.kind == text.KindPlace && t.profile.side == startSide
	})
	if way || has(text.KindDate, "return") || !has(text.KindDate, "arrive") || !has(text.KindDate, "depart") {
		return
	}
	for i, t := range targets {
		switch {
		case t.kind != text.KindDate:
		case t.profile.sides["arrive"]:
			targets[i].profile.side = startSide
		case t.profile.sides["depart"]:
			targets[i].profile.side = endSide
		}
	}
}

// ownWeight is the weight from which a word sets a definition apart: at most a third of ten definitions have it.
const ownWeight = 0.45

// sideOf returns the side that senses mean for values of a kind, noSide if they contradict each other.
func sideOf(sides text.WordSet, k text.Kind) side {
	start, end := false, false
	for s := range sides {
		switch {
		case sidesOf[s] == startSide:
			start = true
		case sidesOf[s] == endSide:
			end = true
		case s == "arrive" && k == text.KindPlace:
			end = true
		case s == "arrive":
			start = start || !sides["depart"]
		}
	}
	switch {
	case start && !end:
		return startSide
	case end && !start:
		return endSide
	}
	return noSide
}

// formWords are stems that name the form of a value and not the thing that it belongs to.
var formWords = func() text.WordSet {
	set := text.WordSet{}
	for w := range text.NewWordSet(`name title date day time hour year month number count amount total size quantity type kind
		category sort genre style class city town location place area region address street code id identifier reference
		phone telephone email contact price cost fare rate fee rating review average list option choice status level range
		start end begin beginning departure return arrival origin destination pickup dropoff checkin checkout book booking
		reserve reservation schedule search find select available availability located offer offers offered serve served
		held takes place belongs associated people person`) {
		set[text.Stem(w)] = true
	}
	return set
}()

// evidence returns how much words speak for t: the sum of the weights that they have in its definition, at most 2.
func (t target) evidence(parts []string) float64 {
	sum := 0.0
	seen := text.WordSet{}
	for _, w := range joinWords(parts) {
		s := text.Stem(w)
		if functionWords[w] || seen[s] {
			continue
		}
		seen[s] = true
		sum += t.profile.words[s]
	}
	return min(sum, 2)
}
