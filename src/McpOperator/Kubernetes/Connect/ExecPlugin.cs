using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Credentials that a command prints (KEP-541, client.authentication.k8s.io). They are kept until they expire or the server
/// refuses them. The command runs at most once at a time.
/// </summary>
/// <remarks>
/// The official client's ExecuteExternalCommand is not used: it waits for the exit before it reads, so that a long answer fills
/// the pipe and hangs; it splits arguments at their spaces; and it ignores the expiry.
/// </remarks>
internal sealed class ExecPlugin(ExecCommand command, ClusterAccess access, TimeProvider time) : ICredentialSource, IDisposable
{
    private const int LongestError = 300;

    /// <summary>A token is renewed this long before it expires, so that it does not expire on its way to the server.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _running = new(1, 1);
    private Credential? _credential;
    private DateTimeOffset? _expiry;

    public async ValueTask<Credential> GetAsync(Credential? refused, CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Of several requests that are refused at the same time, the first one runs the plugin for all.
            if (_credential is not null && _credential != refused && !(_expiry - Margin <= time.GetUtcNow()))
                return _credential;
            var answer = await RunAsync(cancellationToken).ConfigureAwait(false);
            (_credential, _expiry) = Parse(answer);
            return _credential;
        }
        finally
        {
            _running.Release();
        }
    }

    public void Dispose() => _running.Dispose();

    private async Task<byte[]> RunAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command.Command, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = Info();

        using var process = Start(start);
        try
        {
            process.StandardInput.Close();
            using var output = new MemoryStream();
            // Both pipes are read at the same time: a full one would stop the plugin.
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardOutput.BaseStream.CopyToAsync(output, cancellationToken).ConfigureAwait(false);
            var error = await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
                throw Failure($"exited with code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}{OneLine(error)}");
            return output.ToArray();
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>KUBERNETES_EXEC_INFO, as client-go writes it.</summary>
    private string Info()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, command.ApiVersion);
            json.WriteString("kind"u8, "ExecCredential"u8);
            json.WriteStartObject("spec"u8);
            if (command.ProvideClusterInfo)
                WriteCluster(json);
            json.WriteBoolean("interactive"u8, false);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void WriteCluster(Utf8JsonWriter json)
    {
        json.WriteStartObject("cluster"u8);
        json.WriteString("server"u8, access.Server.OriginalString);
        if (access.TlsServerName is { } name)
            json.WriteString("tls-server-name"u8, name);
        if (access.InsecureSkipTlsVerify)
            json.WriteBoolean("insecure-skip-tls-verify"u8, true);
        if (Authority() is { } authority)
            json.WriteBase64String("certificate-authority-data"u8, authority);
        json.WritePropertyName("config"u8);
        json.WriteRawValue(command.ClusterConfig ?? "null");
        json.WriteEndObject();
    }

    private byte[]? Authority()
    {
        try
        {
            return access.CertificateAuthority
                ?? (access.CertificateAuthorityFile is { } file ? File.ReadAllBytes(file) : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure($"cannot be told the cluster's CA: {e.Message}");
        }
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw Failure("did not start");
        }
        catch (Win32Exception e)
        {
            throw Failure($"cannot be started: {e.Message}");
        }
    }

    private (Credential Credential, DateTimeOffset? Expiry) Parse(byte[] answer)
    {
        // The answer holds a secret, and a JsonException can quote it. So nothing of either goes into an error.
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(answer);
        }
        catch (JsonException)
        {
            throw Failure("printed no JSON");
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.Text("apiVersion"u8) != command.ApiVersion)
                throw Failure($"printed another apiVersion than {command.ApiVersion}");
            if (!root.TryGetMember("status"u8, out var status))
                throw Failure("printed no status");

            var token = status.Text("token"u8);
            var certificate = status.Text("clientCertificateData"u8);
            var key = status.Text("clientKeyData"u8);
            if (string.IsNullOrEmpty(certificate) != string.IsNullOrEmpty(key))
                throw Failure("printed a certificate without a key, or the reverse");
            var pem = string.IsNullOrEmpty(certificate) || string.IsNullOrEmpty(key)
                ? null
                : new CertificatePem(Encoding.UTF8.GetBytes(certificate), Encoding.UTF8.GetBytes(key));
            if (string.IsNullOrEmpty(token) && pem is null)
                throw Failure("printed neither a token nor a certificate");

            var credential = new Credential(string.IsNullOrEmpty(token) ? null : new("Bearer", token), pem);
            var expires = DateTimeOffset.TryParse(
                status.Text("expirationTimestamp"u8), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expiry);
            return (credential, expires ? expiry : null);
        }
    }

    private HttpRequestException Failure(string what) =>
        new(HttpRequestError.UserAuthenticationError, $"credential plugin {command.Command} {what}");

    private static string OneLine(string error)
    {
        var words = string.Join(' ', error.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return words.Length == 0 ? "" : $": {(words.Length > LongestError ? words[..LongestError] : words)}";
    }
}
