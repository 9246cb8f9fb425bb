//! The fhir room: expressions and their results, section by section of <http://hl7.org/fhirpath/N1/>.

use super::sample::{OBSERVATION, PATIENT, QUESTIONNAIRE, check};

#[test]
fn paths_lead_through_lists_and_types() {
    check(
        &PATIENT,
        &[
            ("Patient.name.given", "Anna, (no value), Maria, Annie"),
            ("name.given.count()", "4"),
            ("Resource.id", "p1"),
            ("DomainResource.active", "true"),
            ("Observation.id", ""),
            ("name[1].given", "Annie"),
            ("name[2]", ""),
            ("name[-1]", ""),
            ("name.given[0]", "Anna"),
            ("nothing.of.this", ""),
            ("deceased", "false"),
            ("multipleBirth", "2"),
            ("identifier.`value`", "12345"),
            ("contained.name", "Clinic"),
            ("contact.name.family", "Testpatient"),
            ("extension.value.unit", "kg"),
            ("name.where(use = 'official').family", "Testpatient"),
            ("telecom.where(rank = 1).value", "anna@example.org"),
            ("name.select(given.first())", "Anna, Annie"),
            ("telecom.select(rank + $index)", "2, 2"),
            ("name.given.where($this = 'Maria')", "Maria"),
            ("contact.name.family = name.family", "true"),
            ("name.exists(use = 'nickname')", "true"),
        ],
    );
}

#[test]
fn what_stands_beside_a_primitive_belongs_to_it() {
    check(
        &PATIENT,
        &[
            ("birthDate.extension('http://example.org/birthTime').value", "1980-02-29T10:30:00+01:00"),
            ("birthDate.extension.url", "http://example.org/birthTime"),
            ("birthDate.hasValue()", "true"),
            ("name.given.where(hasValue()).count()", "3"),
            ("name.given[1].hasValue()", "false"),
            ("name.given[1].extension.value", "true"),
            ("name.given[2].id", "g3"),
            ("name.given[1].getValue().empty()", "true"),
            ("name.given.all(hasValue() or (children().count() > id.count()))", "true"),
            ("gender.extension('x').empty()", "true"),
            ("hasValue()", "false"),
            ("birthDate.children().count()", "1"),
            ("name[0].children().count()", "5"),
        ],
    );
}

#[test]
fn operators_bind_in_the_order_of_the_specification() {
    check(
        &PATIENT,
        &[
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("-2 + 3", "1"),
            ("- - 2", "2"),
            ("2 - 1 - 1", "0"),
            ("8 / 4 / 2", "1"),
            ("1 | 2 | 1", "1, 2"),
            ("1 + 1 | 3", "2, 3"),
            ("1 < 2 = true", "true"),
            ("true or true and false", "true"),
            ("false implies false or true", "true"),
            ("true xor true or true", "true"),
            ("1 in (1 | 2) and true", "true"),
            ("'a' & 'b' = 'ab'", "true"),
            ("active is boolean and true", "true"),
            ("2 = 2 // a remark", "true"),
            ("2 /* a remark */ = 2", "true"),
            ("(-1).convertsToInteger()", "true"),
        ],
    );
}

#[test]
fn logic_has_three_values() {
    check(
        &PATIENT,
        &[
            ("true and {}", ""),
            ("false and {}", "false"),
            ("{} and false", "false"),
            ("{} or true", "true"),
            ("{} or false", ""),
            ("true xor {}", ""),
            ("true xor false", "true"),
            ("{} implies true", "true"),
            ("{} implies false", ""),
            ("false implies {}", "true"),
            ("true implies {}", ""),
            ("{}.not()", ""),
            ("true.not()", "false"),
            ("name.first() and true", "true"),
            ("{} = {}", ""),
            ("1 = {}", ""),
            ("{} ~ {}", "true"),
            ("1 < {}", ""),
            ("{} in (1 | 2)", ""),
            ("1 in {}", "false"),
            ("(1 | 2) contains 2", "true"),
            ("(1 | 2) contains 3", "false"),
        ],
    );
}

#[test]
fn equality_and_equivalence_differ() {
    check(
        &PATIENT,
        &[
            ("1 = 1.0", "true"),
            ("1.10 = 1.1", "true"),
            ("'a' = 'A'", "false"),
            ("'a  B' ~ 'A b'", "true"),
            ("1.24 ~ 1.2", "true"),
            ("1.26 ~ 1.2", "false"),
            ("'1' = 1", "false"),
            ("true = 'true'", "false"),
            ("(1 | 2) = (2 | 1)", "false"),
            ("(1 | 2) ~ (2 | 1)", "true"),
            ("(1 | 2) = (1 | 2 | 3)", "false"),
            ("1 != 2", "true"),
            ("1 !~ 1", "false"),
            ("name.first() = name.last()", "false"),
            ("name.first() = name.where(use = 'official')", "true"),
            ("gender = 'female'", "true"),
            ("birthDate = @1980-02-29", "true"),
            ("birthDate = '1980-02-29'", "true"),
            ("birthDate = @1980-02", ""),
            ("birthDate ~ @1980-02", "false"),
            ("'abc' < 'abd'", "true"),
            ("2 >= 2.0", "true"),
        ],
    );
}

#[test]
fn dates_and_times_are_compared_as_far_as_they_are_known() {
    check(
        &PATIENT,
        &[
            ("@2020 < @2021-05", "true"),
            ("@2020 < @2020-05", ""),
            ("@2020-05 > @2020-05-17", ""),
            ("@2020-05-17 = @2020-05-17", "true"),
            ("@2020-05-17T10:00:00Z = @2020-05-17T12:00:00+02:00", "true"),
            ("@2020-05-17T23:00:00-05:00 > @2020-05-18T01:00:00Z", "true"),
            ("@2020-05-17T10:00Z = @2020-05-17T10:00:00Z", ""),
            ("@2020-05-17T10:00:00 < @2020-05-17T11:00:00Z", ""),
            ("@2020-05-17T10:00:00 < @2020-05-20T11:00:00Z", "true"),
            ("@2020-05-17T10:00:00.0 = @2020-05-17T10:00:00", "true"),
            ("@2020-05-17 < @2020-05-17T10:00:00Z", ""),
            ("@2020-05-16 < @2020-05-17T10:00:00Z", "true"),
            ("@T10:30 < @T10:31", "true"),
            ("@T10 = @T10:00", ""),
            ("@T10:30 = @2020", "false"),
            ("birthDate < today()", "true"),
            ("now()", "@2026-07-01T12:00:00.000Z"),
            ("today()", "@2026-07-01"),
            ("timeOfDay()", "@12:00:00.000"),
        ],
    );
}

#[test]
fn calendar_durations_move_dates() {
    check(
        &PATIENT,
        &[
            ("@2020-01-31 + 1 month", "@2020-02-29"),
            ("@2020-02-29 + 1 year", "@2021-02-28"),
            ("@2021-03-01 - 1 day", "@2021-02-28"),
            ("@2021-03-01 + 2 weeks", "@2021-03-15"),
            ("@2014 + 24 months", "@2016"),
            ("@2014 + 23 months", "@2015"),
            ("@2019-03-01 + 36 hours", "@2019-03-02"),
            ("@2020-05-17T23:30:00Z + 45 minutes", "@2020-05-18T00:15:00Z"),
            ("@2020-05-17T10:00:00.000Z + 1500 milliseconds", "@2020-05-17T10:00:01.500Z"),
            ("@2020-05-17T10:00:00Z + 0.5 seconds", "@2020-05-17T10:00:00.500Z"),
            ("@T23:00:00 + 2 hours", "@01:00:00"),
            ("@2020-05-17 + 1 'd'", "@2020-05-18"),
            ("birthDate + 18 years", "@1998-02-28"),
            ("@2020 + {}", ""),
        ],
    );
}

#[test]
fn numbers_are_exact() {
    check(
        &PATIENT,
        &[
            ("0.1 + 0.2 = 0.3", "true"),
            ("1.10 + 2.2", "3.30"),
            ("1 / 3 * 3 = 1", "false"),
            ("7 div 2", "3"),
            ("-7 div 2", "-3"),
            ("7.5 div 2", "3"),
            ("7 mod 2", "1"),
            ("2.2 mod 1.5", "0.7"),
            ("1 / 0", ""),
            ("1 div 0", ""),
            ("1 mod 0", ""),
            ("'a' + 'b'", "'ab'"),
            ("'a' & {}", "'a'"),
            ("'a' + {}", ""),
            ("(-5).abs()", "5"),
            ("(-5.5).abs()", "5.5"),
            ("1.1.ceiling()", "2"),
            ("(-1.1).floor()", "-2"),
            ("1.9.truncate()", "1"),
            ("2.5.round()", "3"),
            ("3.14159.round(3)", "3.142"),
            ("2.power(10)", "1024"),
            ("1.5.power(2)", "2.25"),
            ("(-1).power(0.5)", ""),
            ("81.sqrt()", "9"),
            ("0.exp()", "1"),
            ("1.ln()", "0"),
            ("16.log(2)", "4"),
            ("100.log(10)", "2"),
            ("(1 | 2 | 3).sum()", "6"),
            ("(1.5 | 2).avg()", "1.75"),
            ("(3 | 1 | 2).min()", "1"),
            ("(3 | 1 | 2).max()", "3"),
            ("{}.sum()", ""),
        ],
    );
}

#[test]
fn collections_are_cut_and_combined() {
    check(
        &PATIENT,
        &[
            ("(1 | 2 | 3).first()", "1"),
            ("(1 | 2 | 3).last()", "3"),
            ("(1 | 2 | 3).tail()", "2, 3"),
            ("(1 | 2 | 3).skip(2)", "3"),
            ("(1 | 2 | 3).skip(-1).count()", "3"),
            ("(1 | 2 | 3).take(2)", "1, 2"),
            ("(1 | 2 | 3).take(0)", ""),
            ("(1 | 2 | 3).intersect(2 | 3 | 4)", "2, 3"),
            ("(1 | 2 | 3).exclude(2)", "1, 3"),
            ("(1 | 2).union(2 | 3)", "1, 2, 3"),
            ("(1 | 2).combine(2)", "1, 2, 2"),
            ("(1 | 2).combine(2).distinct()", "1, 2"),
            ("(1 | 2).combine(2).isDistinct()", "false"),
            ("{}.isDistinct()", "true"),
            ("(1 | 2).subsetOf(1 | 2 | 3)", "true"),
            ("(1 | 4).subsetOf(1 | 2 | 3)", "false"),
            ("(1 | 2 | 3).supersetOf(1)", "true"),
            ("active.single()", "true"),
            ("{}.single()", ""),
            ("(true | false).allTrue()", "false"),
            ("(true | false).anyTrue()", "true"),
            ("(true | false).allFalse()", "false"),
            ("(true | false).anyFalse()", "true"),
            ("{}.allTrue()", "true"),
            ("{}.all(false)", "true"),
            ("(1 | 2).all($this > 0)", "true"),
            ("(1 | 2).exists($this > 2)", "false"),
            ("(1 | 2).empty()", "false"),
            ("(1 | 2 | 3).aggregate($this + $total, 0)", "6"),
            ("(5 | 2 | 3).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", "2"),
            ("iif(true, 1, 1 / 'a')", "1"),
            ("iif(false, 1)", ""),
            ("iif({}, 1, 2)", "2"),
            ("name.trace('names').count()", "2"),
        ],
    );
}

#[test]
fn trees_are_walked_once() {
    check(
        &QUESTIONNAIRE,
        &[
            ("repeat(item).linkId", "1, 2, 1.1, 1.2, 1.1.1"),
            ("descendants().linkId.isDistinct()", "true"),
            ("descendants().where($this is boolean)", "true"),
            ("item.item.children().ofType(code)", "string, decimal"),
            ("children().count()", "4"),
            ("descendants().count()", "18"),
            ("item.descendants().ofType(Questionnaire.item).count()", "3"),
        ],
    );
}

#[test]
fn text_is_counted_in_characters() {
    check(
        &PATIENT,
        &[
            ("'äbc'.length()", "3"),
            ("'äbc'.indexOf('c')", "2"),
            ("'abc'.indexOf('x')", "-1"),
            ("'abcabc'.lastIndexOf('b')", "4"),
            ("'äbc'.substring(1)", "'bc'"),
            ("'äbc'.substring(1, 1)", "'b'"),
            ("'abc'.substring(3)", ""),
            ("'abc'.substring(-1)", ""),
            ("'abc'.startsWith('ab')", "true"),
            ("'abc'.startsWith('')", "true"),
            ("'abc'.endsWith('bc')", "true"),
            ("'abc'.contains('d')", "false"),
            ("'abc'.upper()", "'ABC'"),
            ("'ABC'.lower()", "'abc'"),
            ("'  a '.trim()", "'a'"),
            ("'abc'.replace('b', '')", "'ac'"),
            ("'abc'.replace('', 'x')", "'xaxbxcx'"),
            ("'a1b22'.replaceMatches('[0-9]+', '#')", "'a#b#'"),
            ("'2026-07'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2/$1')", "'07/2026'"),
            ("'a\\nb'.matches('a.b')", "true"),
            ("'abc'.matches('b')", "true"),
            ("'abc'.matches('^b$')", "false"),
            ("'abc'.matchesFull('b')", "false"),
            ("{}.matches('b')", ""),
            ("'abc'.toChars()", "'a', 'b', 'c'"),
            ("'a,b,,c'.split(',')", "'a', 'b', '', 'c'"),
            ("name.given.join('+')", "'Anna+Maria+Annie'"),
            ("('a' | 'b').join()", "'ab'"),
            ("'a'.encode('base64')", "'YQ=='"),
            ("'YQ=='.decode('base64')", "'a'"),
            ("'\\u0041\\'\\t'.length()", "3"),
            ("'<a>'.escape('html')", "'&lt;a&gt;'"),
            ("birthDate.toString().length()", "10"),
        ],
    );
}

#[test]
fn values_convert_between_system_types() {
    check(
        &PATIENT,
        &[
            ("'1'.toInteger()", "1"),
            ("'1.5'.toInteger()", ""),
            ("true.toInteger()", "1"),
            ("'1.50'.toDecimal()", "1.50"),
            ("'x'.toDecimal()", ""),
            ("'x'.convertsToDecimal()", "false"),
            ("'yes'.toBoolean()", "true"),
            ("'maybe'.toBoolean()", ""),
            ("2.toBoolean()", ""),
            ("1.5.toString()", "'1.5'"),
            ("'2020-05'.toDate()", "@2020-05"),
            ("'2020-13'.toDate()", ""),
            ("'2020-02-30'.convertsToDate()", "false"),
            ("'2020-05-17T10:00:00Z'.toDateTime()", "@2020-05-17T10:00:00Z"),
            ("'10:30'.toTime()", "@10:30"),
            ("'25:30'.toTime()", ""),
            ("@2020-05-17T10:00:00Z.toDate()", "@2020-05-17"),
            ("'4 days'.toQuantity()", "4 day"),
            ("'4.50 \\'mg\\''.toQuantity()", "4.50 'mg'"),
            ("'mg'.toQuantity()", ""),
            ("1.toQuantity()", "1 '1'"),
            ("{}.toInteger()", ""),
            ("name.first().toString()", ""),
            ("name.first().convertsToString()", "false"),
        ],
    );
}

#[test]
fn quantities_convert_where_a_prefix_is_all_that_differs() {
    check(
        &OBSERVATION,
        &[
            ("1 'g' = 1000 'mg'", "true"),
            ("500 'ug' < 1 'mg'", "true"),
            ("1 'L' = 1000 'ml'", "true"),
            ("90 'min' > 1 'h'", "true"),
            ("1 'kg' = 1 'm'", ""),
            ("1 'kg' < 1 'm'", ""),
            ("7 days = 1 week", "true"),
            ("1 second = 1 's'", "true"),
            ("1 year = 1 'a'", ""),
            ("1 year ~ 1 'a'", "true"),
            ("2 'mg' + 1 'g'", "1002 'mg'"),
            ("2 'mg' * 3", "6 'mg'"),
            ("6 'mg' / 2 'mg'", "3 '1'"),
            ("6 'mg' / 2", "3 'mg'"),
            ("-(6 'mg')", "-6 'mg'"),
            ("value = 80.5 'kg'", "true"),
            ("value > 80000 'g'", "true"),
            ("value.value", "80.50"),
            ("value.value.toString()", "'80.50'"),
            ("referenceRange.low <= referenceRange.high", "true"),
            ("referenceRange.low <= value and value <= referenceRange.high", "true"),
        ],
    );
}

#[test]
fn types_are_known_from_the_definitions() {
    check(
        &OBSERVATION,
        &[
            ("value is Quantity", "true"),
            ("value is FHIR.Quantity", "true"),
            ("value.is(string)", "false"),
            ("(value as Quantity).unit", "kg"),
            ("value.ofType(string)", ""),
            ("Observation.value.as(CodeableConcept)", ""),
            ("component.value.ofType(string)", "a"),
            ("component.value.ofType(CodeableConcept).coding.code", "x, y"),
            ("effective is dateTime", "true"),
            ("effective is DateTime", "false"),
            ("status is string", "true"),
            ("status.ofType(string)", ""),
            ("status.ofType(code)", "final"),
            ("$this is Observation", "true"),
            ("$this is DomainResource", "true"),
            ("$this is Patient", "false"),
            ("1 is Integer", "true"),
            ("1.0 is System.Decimal", "true"),
            ("1 is FHIR.integer", "false"),
            ("@2020 is Date", "true"),
            ("1 'mg' is Quantity", "true"),
            ("{} is Patient", ""),
            ("status.type().name", "'code'"),
            ("1.type()", "System.Integer"),
            ("component.first().type().name", "'Observation.component'"),
            ("issued > effective", "true"),
            ("issued.toString()", "'2026-01-10T15:30:00.250Z'"),
        ],
    );
}
