//! Values that do not belong where they are put, as raw JSON: some cannot be expressed by
//! a library that only writes well-formed text.

/// What each member is replaced with.
pub fn hostile_values() -> Vec<Vec<u8>> {
    const PLAIN: &[&str] = &[
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "-0.0",
        "1e400",
        "-1e-400",
        "9223372036854775808",
        "123456789012345678901234567890123456789",
        r#""""#,
        r#"" ""#,
        r#""x""#,
        r#""\r\n""#,
        r#""<p>{{#if}}""#,
        r#""{{#each user}}{{this}}{{/each}}""#,
        // PostgreSQL stores no NUL, and UTF-8 has no lone surrogates.
        r#""\u0000""#,
        r#""a\u0000b@example.com""#,
        r#""\ud800""#,
        r#""\udfff\ud800""#,
        r#""e\u0301\u202e\ufeff\ufffe""#,
        r#""00000000-0000-0000-0000-000000000000""#,
        r#""https://user:pass@[::1]:99999/\u0000""#,
        r#""99999-12-31""#,
        "[]",
        "[null]",
        "[[[]]]",
        r#"["\u0000", 1, {}]"#,
        "{}",
        r#"{"": null}"#,
        r#"{"x": 1}"#,
        r#"{"\u0000": "\u0000"}"#,
        r#"{"de": null, "de": {"de": "\u0000"}}"#,
        r#"{"de_DE": "a", "de-de": "b", "DE_DE": "c"}"#,
        r#"{"$serde_json::private::Number": "1"}"#,
        r#"{"$serde_json::private::RawValue": "1"}"#,
        // Not JSON at all.
        "NaN",
        "1_000",
        "'x'",
        "",
    ];
    let mut values: Vec<Vec<u8>> = PLAIN.iter().map(|text| text.as_bytes().to_vec()).collect();
    values.push(b"\"\xff\xfe\xc0\x80\"".to_vec());
    values.push(nested("[", "]", 100));
    values.push(nested("[", "]", 10_000));
    values.push(nested(r#"{"a":"#, "}", 100));
    values.push(format!("\"{}\"", "x".repeat(70_000)).into_bytes());
    values.push(format!("\"{}\"", "\u{1f600}".repeat(200)).into_bytes());
    values.push("9".repeat(5_000).into_bytes());
    values
}

/// The innermost value is missing from the objects: that is malformed too.
pub fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    (open.repeat(depth) + &close.repeat(depth)).into_bytes()
}
