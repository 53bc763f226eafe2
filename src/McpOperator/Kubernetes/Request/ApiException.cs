using System.Net;

namespace McpOperator.Kubernetes;

/// <summary>
/// The API server refused a request. When it could not be reached, that is an <see cref="HttpRequestException"/>.
/// </summary>
internal sealed class ApiException(Status status, string request)
    : Exception($"{request}: {status.Message ?? status.Reason ?? "no reason given"}")
{
    public Status Status { get; } = status;

    public HttpStatusCode Code => (HttpStatusCode)Status.Code;

    /// <summary>
    /// A webhook or an admission policy of the cluster denied it, with whatever code and reason. It is none of what follows but
    /// <see cref="IsObjectRefused"/>.
    /// </summary>
    public bool IsDenied { get; } = status.IsDenial;

    public bool IsNotFound => Code == HttpStatusCode.NotFound && !IsDenied;

    /// <summary>409: the object was edited meanwhile, or another manager owns a field.</summary>
    public bool IsConflict => Code == HttpStatusCode.Conflict && Status.Reason != "AlreadyExists" && !IsDenied;

    /// <summary>409: an apply without force would have changed fields that others own.</summary>
    public bool IsFieldManagerConflict => IsConflict && Status.HasCause("FieldManagerConflict");

    public bool IsAlreadyExists => Status.Reason == "AlreadyExists" && !IsDenied;

    /// <summary>500: an object that is to be created may not name a version. Etcd's storage says so where a kind is created its own way.</summary>
    public bool IsVersionRefused => Status.Message?.Contains("resourceVersion should not be set on objects to be created", StringComparison.Ordinal) == true && !IsDenied;

    /// <summary>
    /// The object that is stored has a list in which two items have one key, and API servers before 1.27 or so apply nothing over that
    /// (structured-merge-diff takes such lists since v4.3).
    /// </summary>
    public bool IsOfStoredDuplicates => Status.Message?.Contains("duplicate entries for key", StringComparison.Ordinal) == true && !IsDenied;

    /// <summary>410: the resource version asked for is no longer known, and a new list is needed.</summary>
    public bool IsExpired => Code == HttpStatusCode.Gone || Status.Reason is "Expired" or "Gone";

    /// <summary>The server's cache has not reached the resource version asked for; a list from etcd will do.</summary>
    public bool IsTooLargeResourceVersion => Status.HasCause("ResourceVersionTooLarge");

    /// <summary>etcd has not come to the resource version that was asked for (mvcc.ErrFutureRev, which comes as a 500).</summary>
    public bool IsFutureVersion => Status.Message?.Contains("future revision", StringComparison.Ordinal) == true;

    /// <summary>Nothing can be created in a namespace that is being deleted.</summary>
    public bool IsNamespaceTerminating => Status.HasCause("NamespaceTerminating") && !IsDenied;

    /// <summary>
    /// The API server does not know us at the moment, has too much to do, or is not ready. That says nothing about the object. A
    /// plain 500 is not among these: the API server answers so as long as a webhook cannot be reached, which may be for ever.
    /// </summary>
    public bool IsTransient => !IsDenied && Code is HttpStatusCode.Unauthorized or HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>
    /// The refusal is about this object, and not a conflict, a namespace that is being deleted, or the API server itself.
    /// </summary>
    public bool IsObjectRefused => !IsConflict && !IsNamespaceTerminating && !IsTransient;

    /// <summary>422 or 400: the object breaks a rule of the API server, and would be refused again.</summary>
    public bool IsInvalid => !IsDenied && Code is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest;

    /// <summary>
    /// Of a field that nobody can change, such as a Deployment's selector: nothing else that is done to the object helps (apimachinery
    /// pkg/api/validation/objectmeta.go, FieldImmutableErrorMsg).
    /// </summary>
    public bool IsOfImmutableField =>
        IsInvalid && Status.Details?.Causes?.Any(static cause => cause.Message?.Contains("field is immutable", StringComparison.Ordinal) == true) == true;
}
