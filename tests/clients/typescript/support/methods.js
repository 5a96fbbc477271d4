// Every method of the official client that Beadle promises to serve. The story has to
// call each of them: the program fails when one is left out, or when the client has none
// of that name.
export const METHODS = {
  'User action definitions': [
    'createUserAction', 'retrieveUserAction', 'retrieveUserActions',
    'retrieveInactiveUserActions', 'updateUserAction', 'patchUserAction',
    'deactivateUserAction', 'reactivateUserAction', 'deleteUserAction',
  ],
  Reasons: [
    'createUserActionReason', 'retrieveUserActionReason', 'retrieveUserActionReasons',
    'updateUserActionReason', 'patchUserActionReason', 'deleteUserActionReason',
  ],
  Actioning: [
    'actionUser', 'retrieveAction', 'retrieveActions', 'retrieveActiveActions',
    'retrieveInactiveActions', 'retrieveActionsPreventingLogin', 'modifyAction',
    'cancelAction',
  ],
  'Webhooks and logs': [
    'createWebhook', 'retrieveWebhook', 'retrieveWebhooks', 'updateWebhook',
    'patchWebhook', 'deleteWebhook', 'searchWebhooks', 'searchWebhooksByParameters',
    'retrieveWebhookEventLog', 'retrieveWebhookAttemptLog', 'searchWebhookEventLogs',
  ],
  Email: [
    'createEmailTemplate', 'retrieveEmailTemplate', 'retrieveEmailTemplates',
    'updateEmailTemplate', 'patchEmailTemplate', 'deleteEmailTemplate',
    'searchEmailTemplates', 'retrieveEmailTemplatePreview', 'sendEmail',
  ],
  'Users and login': [
    'createUser', 'retrieveUser', 'retrieveUserByEmail', 'retrieveUserByUsername',
    'retrieveUserByLoginId', 'updateUser', 'patchUser', 'deactivateUser',
    'reactivateUser', 'deleteUser', 'register', 'retrieveRegistration',
    'deleteRegistration', 'login',
  ],
  Tenants: [
    'createTenant', 'retrieveTenant', 'retrieveTenants', 'updateTenant', 'patchTenant',
    'deleteTenant', 'deleteTenantAsync', 'searchTenants',
  ],
  Applications: [
    'createApplication', 'retrieveApplication', 'retrieveApplications',
    'retrieveInactiveApplications', 'updateApplication', 'patchApplication',
    'deactivateApplication', 'reactivateApplication', 'deleteApplication',
  ],
  'API keys, keys': [
    'createAPIKey', 'retrieveAPIKey', 'updateAPIKey', 'patchAPIKey', 'deleteAPIKey',
    'generateKey', 'importKey', 'retrieveKey', 'retrieveKeys', 'deleteKey',
    'retrieveJsonWebKeySet',
  ],
  Logs: [
    'createAuditLog', 'retrieveAuditLog', 'searchAuditLogs', 'retrieveEventLog',
    'searchEventLogs',
  ],
};
