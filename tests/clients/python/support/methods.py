"""Every method of the official client that Beadle promises to serve.

The story has to call each of them: the program fails when one is left out, or when the
client has none of that name.
"""

METHODS = {
    "User action definitions": """
        create_user_action retrieve_user_action retrieve_user_actions
        retrieve_inactive_user_actions update_user_action patch_user_action
        deactivate_user_action reactivate_user_action delete_user_action
    """,
    "Reasons": """
        create_user_action_reason retrieve_user_action_reason
        retrieve_user_action_reasons update_user_action_reason
        patch_user_action_reason delete_user_action_reason
    """,
    "Actioning": """
        action_user retrieve_action retrieve_actions retrieve_active_actions
        retrieve_inactive_actions retrieve_actions_preventing_login modify_action
        cancel_action
    """,
    "Webhooks and logs": """
        create_webhook retrieve_webhook retrieve_webhooks update_webhook patch_webhook
        delete_webhook search_webhooks search_webhooks_by_parameters
        retrieve_webhook_event_log retrieve_webhook_attempt_log
        search_webhook_event_logs
    """,
    "Email": """
        create_email_template retrieve_email_template retrieve_email_templates
        update_email_template patch_email_template delete_email_template
        search_email_templates retrieve_email_template_preview send_email
    """,
    "Users and login": """
        create_user retrieve_user retrieve_user_by_email retrieve_user_by_username
        retrieve_user_by_login_id update_user patch_user deactivate_user
        reactivate_user delete_user register retrieve_registration
        delete_registration login
    """,
    "Tenants": """
        create_tenant retrieve_tenant retrieve_tenants update_tenant patch_tenant
        delete_tenant delete_tenant_async search_tenants
    """,
    "Applications": """
        create_application retrieve_application retrieve_applications
        retrieve_inactive_applications update_application patch_application
        deactivate_application reactivate_application delete_application
    """,
    "API keys, keys": """
        create_api_key retrieve_api_key update_api_key patch_api_key delete_api_key
        generate_key import_key retrieve_key retrieve_keys delete_key
        retrieve_json_web_key_set
    """,
    "Logs": """
        create_audit_log retrieve_audit_log search_audit_logs retrieve_event_log
        search_event_logs
    """,
}


def all_methods():
    """The names, without their headings."""
    return [name for names in METHODS.values() for name in names.split()]
