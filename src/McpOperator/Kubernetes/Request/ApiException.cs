using System.Net;

namespace McpOperator.Kubernetes;

/// <summary>The API server's refusal. Faults on the way to it are <see cref="HttpRequestException"/> as ever.</summary>
public sealed class ApiException(Status status, string request)
    : Exception($"{request}: {status.Message ?? status.Reason ?? "no reason given"}")
{
    public Status Status { get; } = status;

    public HttpStatusCode Code => (HttpStatusCode)Status.Code;

    public bool IsNotFound => Code == HttpStatusCode.NotFound;

    /// <summary>409 for an edit that raced with ours, or a field that another manager owns.</summary>
    public bool IsConflict => Code == HttpStatusCode.Conflict && Status.Reason != "AlreadyExists";

    /// <summary>409 for fields that others own and an apply without force would have changed.</summary>
    public bool IsOwnedByOthers => IsConflict && Status.HasCause("FieldManagerConflict");

    public bool IsAlreadyExists => Status.Reason == "AlreadyExists";

    /// <summary>The resource version asked for is gone (410): list again.</summary>
    public bool IsExpired => Code == HttpStatusCode.Gone || Status.Reason is "Expired" or "Gone";

    /// <summary>The server's cache has not reached the resource version asked for: list from etcd once.</summary>
    public bool IsTooLargeResourceVersion => Status.HasCause("ResourceVersionTooLarge");

    /// <summary>Nothing can be created in a namespace that is being deleted.</summary>
    public bool IsNamespaceTerminating => Status.HasCause("NamespaceTerminating");

    /// <summary>
    /// It does not know us at the moment, has too much to do, or is not ready: nothing is said of the object. (A plain
    /// 500 is not among them: a webhook that cannot be reached answers so, for ever.)
    /// </summary>
    public bool IsPassing => Code is HttpStatusCode.Unauthorized or HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Of this one object: neither a race, nor the end of its namespace, nor trouble of the API server's own.</summary>
    public bool IsAboutTheObject => !IsConflict && !IsNamespaceTerminating && !IsPassing;

    /// <summary>The object broke a rule of the API server (422, 400): sending it again cannot help.</summary>
    public bool IsInvalid => Code is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest;
}
