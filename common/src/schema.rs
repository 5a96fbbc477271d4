//! The tables, as Diesel sees them: one description for both databases.
//!
//! A test compares it with what the migrations of each database make.

#![expect(
    missing_docs,
    reason = "the migrations describe the tables and columns"
)]

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    tenants (id) {
        id -> SqlUuid,
        name -> Text,
        name_normalized -> Text,
        is_default -> Bool,
        data -> Text,
        email_configuration -> Text,
        smtp_password -> Nullable<Binary>,
        event_configuration -> Text,
        settings -> Text,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    applications (id) {
        id -> SqlUuid,
        tenant_id -> SqlUuid,
        name -> Text,
        name_normalized -> Text,
        active -> Bool,
        data -> Text,
        settings -> Text,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    users (id) {
        id -> SqlUuid,
        tenant_id -> SqlUuid,
        active -> Bool,
        email -> Nullable<Text>,
        username -> Nullable<Text>,
        username_normalized -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        password_last_update_instant -> Nullable<BigInt>,
        first_name -> Nullable<Text>,
        middle_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        full_name -> Nullable<Text>,
        image_url -> Nullable<Text>,
        mobile_phone -> Nullable<Text>,
        parent_email -> Nullable<Text>,
        birth_date -> Nullable<Text>,
        timezone -> Nullable<Text>,
        expiry -> Nullable<BigInt>,
        preferred_languages -> Text,
        data -> Text,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
        first_name_normalized -> Nullable<Text>,
        last_name_normalized -> Nullable<Text>,
        full_name_normalized -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    registrations (id) {
        id -> SqlUuid,
        user_id -> SqlUuid,
        application_id -> SqlUuid,
        username -> Nullable<Text>,
        timezone -> Nullable<Text>,
        roles -> Text,
        preferred_languages -> Text,
        data -> Text,
        last_login_instant -> Nullable<BigInt>,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    failed_logins (id) {
        id -> SqlUuid,
        user_id -> SqlUuid,
        instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    api_keys (id) {
        id -> SqlUuid,
        key_hash -> Binary,
        key_sealed -> Nullable<Binary>,
        name -> Nullable<Text>,
        name_normalized -> Nullable<Text>,
        tenant_id -> Nullable<SqlUuid>,
        permissions -> Nullable<Text>,
        key_manager -> Bool,
        retrievable -> Bool,
        expiration_instant -> Nullable<BigInt>,
        meta_data -> Text,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    email_templates (id) {
        id -> SqlUuid,
        name -> Text,
        name_normalized -> Text,
        from_email -> Nullable<Text>,
        default_from_name -> Nullable<Text>,
        default_subject -> Text,
        default_html_template -> Text,
        default_text_template -> Text,
        localized_from_names -> Text,
        localized_html_templates -> Text,
        localized_subjects -> Text,
        localized_text_templates -> Text,
        version -> Integer,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    user_actions (id) {
        id -> SqlUuid,
        name -> Text,
        name_normalized -> Text,
        active -> Bool,
        temporal -> Bool,
        prevent_login -> Bool,
        send_end_event -> Bool,
        include_email_in_event_json -> Bool,
        user_emailing_enabled -> Bool,
        user_notifications_enabled -> Bool,
        start_email_template_id -> Nullable<SqlUuid>,
        modify_email_template_id -> Nullable<SqlUuid>,
        cancel_email_template_id -> Nullable<SqlUuid>,
        end_email_template_id -> Nullable<SqlUuid>,
        localized_names -> Nullable<Text>,
        options -> Text,
        tenant_ids -> Text,
        transaction_type -> Nullable<Text>,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    user_action_reasons (id) {
        id -> SqlUuid,
        code -> Text,
        code_normalized -> Text,
        text -> Text,
        text_normalized -> Text,
        localized_texts -> Nullable<Text>,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    webhooks (id) {
        id -> SqlUuid,
        url -> Text,
        description -> Nullable<Text>,
        connect_timeout -> Integer,
        read_timeout -> Integer,
        global -> Bool,
        events_enabled -> Text,
        user_action_enabled -> Bool,
        headers -> Binary,
        http_authentication_username -> Nullable<Text>,
        http_authentication_password -> Nullable<Binary>,
        data -> Text,
        signature_enabled -> Bool,
        signing_key_id -> Nullable<SqlUuid>,
        ssl_certificate -> Nullable<Text>,
        ssl_certificate_key_id -> Nullable<SqlUuid>,
        rate_limit -> Nullable<Integer>,
        ordered_by -> Nullable<Text>,
        contact_email -> Nullable<Text>,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    webhook_tenants (webhook_id, tenant_id) {
        webhook_id -> SqlUuid,
        tenant_id -> SqlUuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    webhook_secrets (id) {
        id -> SqlUuid,
        webhook_id -> SqlUuid,
        kind -> Text,
        secret -> Binary,
        insert_instant -> BigInt,
        expiration_instant -> Nullable<BigInt>,
        public_key -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    action_logs (id) {
        id -> SqlUuid,
        tenant_id -> SqlUuid,
        actionee_user_id -> SqlUuid,
        actioner_user_id -> Nullable<SqlUuid>,
        user_action_id -> SqlUuid,
        application_ids -> Text,
        comment -> Nullable<Text>,
        email_user_on_end -> Bool,
        notify_user_on_end -> Bool,
        end_event_sent -> Nullable<Bool>,
        expiry -> Nullable<BigInt>,
        end_due -> Nullable<BigInt>,
        canceled -> Bool,
        prevent_login -> Bool,
        name -> Text,
        localized_name -> Text,
        option -> Nullable<Text>,
        localized_option -> Nullable<Text>,
        reason -> Nullable<Text>,
        localized_reason -> Nullable<Text>,
        reason_code -> Nullable<Text>,
        revision -> Integer,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    action_history (action_log_id, position) {
        action_log_id -> SqlUuid,
        position -> Integer,
        actioner_user_id -> Nullable<SqlUuid>,
        comment -> Nullable<Text>,
        create_instant -> BigInt,
        expiry -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    events (id) {
        id -> SqlUuid,
        event_type -> Text,
        tenant_id -> SqlUuid,
        action_log_id -> Nullable<SqlUuid>,
        linked_object_id -> Nullable<SqlUuid>,
        body -> Text,
        insert_instant -> BigInt,
        sequence -> BigInt,
        rolled_back -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    emails (id) {
        id -> SqlUuid,
        tenant_id -> SqlUuid,
        action_log_id -> Nullable<SqlUuid>,
        event_id -> Nullable<SqlUuid>,
        user_id -> Nullable<SqlUuid>,
        template_id -> Nullable<SqlUuid>,
        template_version -> Integer,
        message_id -> Text,
        from_address -> Text,
        from_display -> Nullable<Text>,
        reply_to -> Nullable<Text>,
        to_addresses -> Text,
        cc_addresses -> Text,
        bcc_addresses -> Text,
        subject -> Text,
        html -> Text,
        text -> Text,
        headers -> Text,
        subject_locale -> Nullable<Text>,
        from_name_locale -> Nullable<Text>,
        html_locale -> Nullable<Text>,
        text_locale -> Nullable<Text>,
        insert_instant -> BigInt,
        preferred_languages -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    suppressions (tenant_id, address_normalized) {
        tenant_id -> SqlUuid,
        address_normalized -> Text,
        address -> Text,
        delivery_id -> SqlUuid,
        status_code -> Nullable<Integer>,
        reason -> Text,
        insert_instant -> BigInt,
        expiration_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    mail_limits (destination, tenant_id) {
        destination -> SqlUuid,
        tenant_id -> SqlUuid,
        rate_limit -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    outbox (id) {
        id -> SqlUuid,
        kind -> SmallInt,
        destination -> SqlUuid,
        event_id -> Nullable<SqlUuid>,
        email_id -> Nullable<SqlUuid>,
        recipient -> Nullable<Text>,
        attempt -> Integer,
        due_at -> BigInt,
        lease_token -> Nullable<SqlUuid>,
        lease_owner -> Nullable<Text>,
        insert_instant -> BigInt,
        priority -> SmallInt,
        order_key -> Nullable<SqlUuid>,
        sequence -> Nullable<BigInt>,
        base_attempt -> Integer,
        erased -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    erasures (kind, id) {
        id -> SqlUuid,
        kind -> Text,
        insert_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    destination_states (destination) {
        destination -> SqlUuid,
        failing_since -> Nullable<BigInt>,
        failures -> Integer,
        throttled_until -> Nullable<BigInt>,
        throttles -> Integer,
        circuit -> Text,
        circuit_until -> Nullable<BigInt>,
        circuit_opened -> Integer,
        theoretical_arrival_micros -> BigInt,
        disabled_instant -> Nullable<BigInt>,
        disabled_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    deliveries (id) {
        id -> SqlUuid,
        kind -> SmallInt,
        destination -> SqlUuid,
        event_id -> Nullable<SqlUuid>,
        email_id -> Nullable<SqlUuid>,
        recipient -> Nullable<Text>,
        state -> Text,
        attempt -> Integer,
        insert_instant -> BigInt,
        settle_instant -> BigInt,
        attempt_instant -> Nullable<BigInt>,
        duration_millis -> Nullable<Integer>,
        result -> Nullable<Text>,
        status_code -> Nullable<Integer>,
        class -> Nullable<Text>,
        message -> Nullable<Text>,
        response_excerpt -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    attempts (delivery_id, number) {
        delivery_id -> SqlUuid,
        number -> Integer,
        instant -> BigInt,
        duration_millis -> Nullable<Integer>,
        result -> Text,
        status_code -> Nullable<Integer>,
        class -> Nullable<Text>,
        message -> Nullable<Text>,
        response_excerpt -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    event_logs (id) {
        id -> BigInt,
        insert_instant -> BigInt,
        event_type -> Text,
        message -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    idempotency_keys (id) {
        id -> SqlUuid,
        request_hash -> Binary,
        token -> SqlUuid,
        answer -> Nullable<Binary>,
        expiration_instant -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    audit_logs (id) {
        id -> BigInt,
        tenant_id -> Nullable<SqlUuid>,
        insert_user -> Text,
        message -> Text,
        reason -> Nullable<Text>,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
        data -> Text,
        insert_instant -> BigInt,
        erased_with -> Nullable<SqlUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::SqlUuid;

    signing_keys (id) {
        id -> SqlUuid,
        name -> Text,
        name_normalized -> Text,
        algorithm -> Text,
        kid -> Text,
        length -> Integer,
        public_key -> Nullable<Text>,
        private_key -> Nullable<Binary>,
        insert_instant -> BigInt,
        last_update_instant -> BigInt,
        tenant_id -> Nullable<SqlUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    config_epoch (id) {
        id -> SmallInt,
        epoch -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    config_epoch,
    tenants,
    applications,
    users,
    registrations,
    failed_logins,
    suppressions,
    mail_limits,
    api_keys,
    email_templates,
    user_actions,
    user_action_reasons,
    webhooks,
    webhook_tenants,
    webhook_secrets,
    action_logs,
    action_history,
    events,
    emails,
    outbox,
    destination_states,
    deliveries,
    attempts,
    event_logs,
    audit_logs,
    idempotency_keys,
    signing_keys,
    erasures,
);
